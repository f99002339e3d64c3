/**
 * Claims, volumes and attachments of a workload, and Longhorn's own view of them: the objects a
 * cluster with Longhorn holds for each volume (knowledge failure-domains.md 2.5).
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { LaidOutNode } from './cluster-layout.ts';
import { BORN } from './generated-pod.ts';
import { hexOf, uidOf } from './identities.ts';

const DRIVER = 'driver.longhorn.io';
const LONGHORN = 'longhorn-system';

export interface GeneratedVolume {
  readonly namespace: string;
  /** The pod of a StatefulSet, or the name of the workload that holds one volume. */
  readonly holder: string;
  readonly size: string;
  readonly copies: number;
  /** Where the pod that mounts it is. */
  readonly node: LaidOutNode;
  /** Nodes that may hold a copy. */
  readonly nodes: readonly LaidOutNode[];
}

export function claimOf(holder: string): string {
  return `data-${holder}`;
}

export function generateVolume(volume: GeneratedVolume): readonly KubeObject[] {
  const claim = claimOf(volume.holder);
  const uid = uidOf(`PersistentVolumeClaim ${volume.namespace}/${claim}`);
  const name = `pvc-${uid}`;
  return [
    claimObject(volume, claim, uid, name),
    volumeObject(volume, claim, uid, name),
    attachment(volume, name),
    ...longhornObjects(volume, name),
  ];
}

function claimObject(
  { namespace, size }: GeneratedVolume,
  claim: string,
  uid: string,
  volumeName: string,
): KubeObject {
  return stored('v1', 'PersistentVolumeClaim', namespace, claim, {
    uid,
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: size } },
      storageClassName: 'longhorn',
      volumeMode: 'Filesystem',
      volumeName,
    },
    status: { accessModes: ['ReadWriteOnce'], capacity: { storage: size }, phase: 'Bound' },
  });
}

function volumeObject(
  { namespace, size }: GeneratedVolume,
  claim: string,
  uid: string,
  name: string,
): KubeObject {
  return stored('v1', 'PersistentVolume', undefined, name, {
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: size },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: claim, namespace, uid },
      csi: { driver: DRIVER, fsType: 'ext4', volumeHandle: name },
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'longhorn',
      volumeMode: 'Filesystem',
    },
    status: { phase: 'Bound' },
  });
}

function attachment({ node }: GeneratedVolume, volume: string): KubeObject {
  return stored(
    'storage.k8s.io/v1',
    'VolumeAttachment',
    undefined,
    `csi-${hexOf(`${volume}${DRIVER}${node.name}`)}`,
    {
      spec: { attacher: DRIVER, nodeName: node.name, source: { persistentVolumeName: volume } },
      status: { attached: true },
    },
  );
}

function longhornObjects(
  { node, nodes, copies, size }: GeneratedVolume,
  name: string,
): readonly KubeObject[] {
  const first = nodes.indexOf(node);
  const holders = Array.from({ length: Math.min(copies, nodes.length) }, (_, index) => {
    return nodes[(Math.max(0, first) + index) % nodes.length] ?? node;
  });
  const replicas = holders.map((holder, index) =>
    longhorn('Replica', `${name}-r-${hexOf(`${name}${index}`).slice(0, 8)}`, {
      spec: {
        nodeID: holder.name,
        volumeName: name,
        failedAt: '',
        healthyAt: BORN,
        volumeSize: size,
      },
      status: { currentState: 'running', instanceManagerName: instanceManagerName(holder.name) },
    }),
  );
  return [
    longhorn('Volume', name, {
      spec: { numberOfReplicas: copies, size, dataEngine: 'v1', nodeID: node.name },
      status: {
        state: 'attached',
        robustness: 'healthy',
        currentNodeID: node.name,
        lastDegradedAt: '',
      },
    }),
    longhorn('Engine', `${name}-e-0`, {
      spec: { nodeID: node.name, volumeName: name },
      status: {
        currentState: 'running',
        instanceManagerName: instanceManagerName(node.name),
        replicaModeMap: Object.fromEntries(
          replicas.map((replica) => [replica.metadata.name, 'RW']),
        ),
        rebuildStatus: {},
      },
    }),
    ...replicas,
  ];
}

export function instanceManagerName(node: string): string {
  return `instance-manager-${hexOf(node).slice(0, 32)}`;
}

/** One instance manager as Longhorn's own resource. */
export function instanceManagerResource(node: string, ip: string): KubeObject {
  return longhorn('InstanceManager', instanceManagerName(node), {
    spec: { nodeID: node, type: 'aio', dataEngine: 'v1' },
    status: { currentState: 'running', ip },
  });
}

function longhorn(kind: string, name: string, rest: Readonly<Record<string, unknown>>): KubeObject {
  return stored('longhorn.io/v1beta2', kind, LONGHORN, name, rest);
}

export function stored(
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
  name: string,
  {
    uid,
    labels,
    ...rest
  }: Readonly<Record<string, unknown>> & {
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
  },
): KubeObject {
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return {
    apiVersion,
    kind,
    metadata: {
      creationTimestamp: BORN,
      ...(labels === undefined ? {} : { labels }),
      name,
      ...(namespace === undefined ? {} : { namespace }),
      resourceVersion: '1107',
      uid: uid ?? uidOf(`${kind} ${key}`),
    },
    ...rest,
  };
}
