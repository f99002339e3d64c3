/**
 * What a restart must know of storage: which pods hold volumes that are attached to the node, and
 * whether the node's storage engine still runs any. Longhorn's instance manager hosts the engines;
 * restarting it under a running engine breaks every volume attached here (failure-domains 2.5).
 */
import type {
  KubeObject,
  PersistentVolumeClaimObject,
  PersistentVolumeObject,
  PodObject,
  VolumeAttachmentObject,
} from '../model/kubernetes.ts';
import type { KubernetesPort } from '../ports/index.ts';

const INSTANCE_MANAGER_LABEL = 'longhorn.io/component';

export function isInstanceManager(pod: PodObject): boolean {
  return pod.metadata.labels?.[INSTANCE_MANAGER_LABEL] === 'instance-manager';
}

/** Pods that use a volume which a CSI driver attached to the node. */
export async function podsWithAttachedVolumes(
  kubernetes: KubernetesPort,
  pods: readonly PodObject[],
): Promise<ReadonlySet<PodObject>> {
  const found = new Set<PodObject>();
  await Promise.all(
    pods.map(async (pod) => {
      if (await usesAttachedVolume(kubernetes, pod)) found.add(pod);
    }),
  );
  return found;
}

async function usesAttachedVolume(kubernetes: KubernetesPort, pod: PodObject): Promise<boolean> {
  const { namespace = 'default' } = pod.metadata;
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined) continue;
    const claim = await kubernetes.get<PersistentVolumeClaimObject>({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace,
      name: persistentVolumeClaim.claimName,
    });
    const volumeName = claim?.spec.volumeName;
    if (volumeName === undefined) continue;
    const volume = await kubernetes.get<PersistentVolumeObject>({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      name: volumeName,
    });
    if (volume?.spec.csi !== undefined) return true;
  }
  return false;
}

/** Volumes attached to the node now, as Kubernetes records it. */
export async function attachedTo(
  kubernetes: KubernetesPort,
  node: string,
): Promise<readonly string[]> {
  const all = await kubernetes.list<VolumeAttachmentObject>(
    'storage.k8s.io/v1',
    'VolumeAttachment',
  );
  return all
    .filter((attachment) => attachment.spec.nodeName === node)
    .map(({ spec, metadata }) => spec.source.persistentVolumeName ?? metadata.name);
}

interface LonghornVolume extends KubeObject {
  readonly status?: {
    readonly state?: string;
    readonly robustness?: string;
    readonly currentNodeID?: string;
  };
}

/** None where Longhorn is not. */
export function longhornVolumes(
  kubernetes: Pick<KubernetesPort, 'list'>,
): Promise<readonly LonghornVolume[]> {
  return kubernetes.list<LonghornVolume>('longhorn.io/v1beta2', 'Volume');
}

/** Longhorn volumes whose engine runs, or is about to, on the node. */
export async function enginesOn(
  kubernetes: KubernetesPort,
  node: string,
): Promise<readonly string[]> {
  const volumes = await longhornVolumes(kubernetes);
  return volumes
    .filter(({ status }) => status?.currentNodeID === node && status.state !== 'detached')
    .map(({ metadata }) => metadata.name);
}
