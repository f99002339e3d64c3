/** The kinds kubectl is told by a word, with the API version they have. */
import { RegaugeError } from '../../base/errors.ts';

interface KnownKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Words besides the kind itself and its plural. */
  readonly short?: readonly string[];
  readonly clusterScoped?: true;
}

const KINDS: readonly KnownKind[] = [
  { apiVersion: 'v1', kind: 'Pod', short: ['po'] },
  { apiVersion: 'v1', kind: 'Node', short: ['no'], clusterScoped: true },
  { apiVersion: 'v1', kind: 'Namespace', short: ['ns'], clusterScoped: true },
  { apiVersion: 'v1', kind: 'ConfigMap', short: ['cm'] },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'Service', short: ['svc'] },
  { apiVersion: 'v1', kind: 'ServiceAccount', short: ['sa'] },
  { apiVersion: 'v1', kind: 'PersistentVolume', short: ['pv'], clusterScoped: true },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim', short: ['pvc'] },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', short: ['ds'] },
  { apiVersion: 'apps/v1', kind: 'Deployment', short: ['deploy'] },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', short: ['sts'] },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', short: ['rs'] },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', short: ['pdb'] },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', short: ['netpol'] },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', clusterScoped: true },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', clusterScoped: true },
  { apiVersion: 'storage.k8s.io/v1', kind: 'VolumeAttachment', clusterScoped: true },
  { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', short: ['cn'], clusterScoped: true },
  { apiVersion: 'cilium.io/v2', kind: 'CiliumNodeConfig' },
  { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', short: ['cnp'] },
  {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumClusterwideNetworkPolicy',
    short: ['ccnp'],
    clusterScoped: true,
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    clusterScoped: true,
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    clusterScoped: true,
  },
];

const BY_WORD = new Map<string, KnownKind>(
  KINDS.flatMap((entry) => {
    const name = entry.kind.toLowerCase();
    const plural = name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
    return [name, plural, ...(entry.short ?? [])].map((word) => [word, entry] as const);
  }),
);

export function kindOf(word: string): KnownKind {
  const found = BY_WORD.get(word.toLowerCase().split('.')[0] ?? '');
  if (found === undefined) {
    throw new RegaugeError('not-found', `error: the server doesn't have a resource type "${word}"`);
  }
  return found;
}
