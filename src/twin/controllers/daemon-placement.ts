/** What a DaemonSet adds to its pods: the node they are for, and what they tolerate there. */
import type { PodSpec, Toleration } from '../../model/kubernetes.ts';

const AUTOMATIC: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

const NETWORK_UNAVAILABLE: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** What every DaemonSet pod tolerates for ever; a hostNetwork one also a node without routes. */
export function automaticTolerations(spec: PodSpec): readonly Toleration[] {
  return spec.hostNetwork === true ? [...AUTOMATIC, NETWORK_UNAVAILABLE] : AUTOMATIC;
}

/** The rules of node affinity are the controller's to keep; the pod's say the node's name alone. */
export function pinnedTo(spec: PodSpec, node: string): Partial<PodSpec> {
  const field = { key: 'metadata.name', operator: 'In', values: [node] };
  return {
    affinity: {
      ...spec.affinity,
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [field] }],
        },
      },
    },
    tolerations: [...(spec.tolerations ?? []), ...automaticTolerations(spec)],
  };
}
