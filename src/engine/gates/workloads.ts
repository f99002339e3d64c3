/** Gates on what runs: workloads ready, volumes healthy, admission webhooks with a backend. */
import type {
  KubeObject,
  PodObject,
  ServiceObject,
  VolumeAttachmentObject,
  WebhookConfigurationObject,
} from '../../model/kubernetes.ts';
import { OWN_NAMESPACE } from '../../model/own-objects.ts';
import type { Plan } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import { isOnOldNetwork, isReady } from '../../steps/pods.ts';
import { fails, HOLDS } from '../../steps/step-module.ts';
import { longhornVolumes } from '../../steps/volumes.ts';
import type { GateModule } from './gate-context.ts';

interface Counted extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly numberReady?: number;
    readonly desiredNumberScheduled?: number;
  };
}

const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

export const workloadsReady: GateModule<'workloads-ready'> = async ({ ports, plan }) => {
  const before = new Set(plan.unreadyBefore);
  const doomed = doomedIn(plan);
  for (const kind of WORKLOAD_KINDS) {
    for (const workload of await ports.kubernetes.list<Counted>('apps/v1', kind)) {
      const key = workloadKey(workload);
      if (isOwn(workload) || !isUnready(workload) || before.has(key)) continue;
      if (doomed.has(key) && (await isOutlived(ports, plan))) continue;
      return fails(`${key} is not ready`);
    }
  }
  return HOLDS;
};

/** The old network's own workloads, which the plan takes away. */
function doomedIn({ steps }: Plan): ReadonlySet<string> {
  return new Set(
    steps.flatMap(({ phase, action }) =>
      phase === 'remove-old-cni' && action.kind === 'delete-objects'
        ? action.objects.map(({ kind, namespace, name }) =>
            workloadKey({
              kind,
              apiVersion: '',
              metadata: { name, namespace: namespace ?? 'default' },
            }),
          )
        : [],
    ),
  );
}

/** With no pod on it, whoever puts a part of the old network back holds nobody up. */
async function isOutlived({ kubernetes }: Ports, plan: Plan): Promise<boolean> {
  const pods = await kubernetes.list<PodObject>('v1', 'Pod');
  return !pods.some((pod) => isOnOldNetwork(pod, plan));
}

/** A probe that finds no room on a full node is missed by nobody but us. */
function isOwn({ metadata }: Counted): boolean {
  return metadata.namespace === OWN_NAMESPACE;
}

/** Fewer pods ready than wanted. */
function isUnready({ kind, spec, status }: Counted): boolean {
  if (kind === 'DaemonSet')
    return (status?.numberReady ?? 0) < (status?.desiredNumberScheduled ?? 0);
  return (status?.readyReplicas ?? 0) < (spec?.replicas ?? 1);
}

/** `Kind namespace/name`. */
function workloadKey({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ?? 'default'}/${metadata.name}`;
}

export const volumesHealthy: GateModule<'volumes-healthy'> = async ({ ports }) => {
  const attachments = await ports.kubernetes.list<VolumeAttachmentObject>(
    'storage.k8s.io/v1',
    'VolumeAttachment',
  );
  const broken = attachments.find(
    ({ metadata, status }) => metadata.deletionTimestamp === undefined && status?.attached !== true,
  );
  if (broken !== undefined) {
    const reason = broken.status?.attachError?.message;
    return fails(
      `VolumeAttachment ${broken.metadata.name} is not attached to ${broken.spec.nodeName}${reason === undefined ? '' : `: ${reason}`}`,
    );
  }
  const volumes = await longhornVolumes(ports.kubernetes);
  const ill = volumes.find(
    ({ status }) =>
      status?.state === 'attached' &&
      status.robustness !== undefined &&
      status.robustness !== 'healthy',
  );
  return ill === undefined
    ? HOLDS
    : fails(`Longhorn volume ${ill.metadata.name} is ${ill.status?.robustness ?? 'not healthy'}`);
};

const WEBHOOK_KINDS = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const;

/** Each webhook that refuses when it cannot be asked has a ready pod behind its Service. */
export const webhooksReachable: GateModule<'webhooks-reachable'> = async ({ ports }) => {
  const services = new Map<string, { readonly namespace: string; readonly name: string }>();
  for (const kind of WEBHOOK_KINDS) {
    for (const { webhooks = [] } of await ports.kubernetes.list<WebhookConfigurationObject>(
      'admissionregistration.k8s.io/v1',
      kind,
    )) {
      for (const { failurePolicy = 'Fail', clientConfig } of webhooks) {
        const service = clientConfig?.service;
        if (failurePolicy === 'Fail' && service !== undefined)
          services.set(`${service.namespace}/${service.name}`, service);
      }
    }
  }
  for (const [key, { namespace, name }] of services) {
    const service = await ports.kubernetes.get<ServiceObject>({
      apiVersion: 'v1',
      kind: 'Service',
      namespace,
      name,
    });
    const selector = service?.spec.selector;
    // A webhook without a Service refused before the run began too; it is no gate of ours.
    if (selector === undefined) continue;
    const pods = await ports.kubernetes.list<PodObject>('v1', 'Pod', {
      namespace,
      labelSelector: selector,
    });
    if (!pods.some(isReady)) return fails(`no pod behind webhook Service ${key} is ready`);
  }
  return HOLDS;
};
