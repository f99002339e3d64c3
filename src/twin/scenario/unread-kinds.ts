/**
 * Kinds that a migration depends on and of which nothing was read. A cluster without a single budget
 * and a snapshot without its budgets look alike: none is assumed, and said so.
 */
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';

interface Dependence {
  readonly kinds: readonly string[];
  readonly about: string;
  readonly assumed: string;
  readonly command: string;
  /** Of concern only where an object says so. */
  readonly when?: (object: KubeObject) => boolean;
}

const DEPENDENCES: readonly Dependence[] = [
  {
    kinds: ['PodDisruptionBudget'],
    about: 'PodDisruptionBudgets',
    assumed: 'none: no eviction is refused',
    command: 'kubectl get pdb -A -o yaml',
  },
  {
    kinds: ['NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy'],
    about: 'network policies',
    assumed: 'none: nothing is refused once Cilium enforces them',
    command: 'kubectl get netpol -A -o yaml',
  },
  {
    kinds: ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
    about: 'admission webhooks',
    assumed: 'none: nothing is refused when their pods are away',
    command: 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml',
  },
  {
    kinds: ['PersistentVolume'],
    about: 'PersistentVolumes',
    assumed: 'every claim can be used on every node, and nothing has to be attached',
    command: 'kubectl get pv,pvc,volumeattachments -A -o yaml',
    when: usesClaims,
  },
];

export function unreadKinds(input: ClusterInput): readonly Assumption[] {
  const read = new Set([
    ...input.objects.map(({ object }) => object.kind),
    ...(input.kindsListed ?? []),
  ]);
  return DEPENDENCES.filter(
    ({ kinds, when }) =>
      !kinds.some((kind) => read.has(kind)) &&
      (when === undefined || input.objects.some(({ object }) => when(object))),
  ).map(({ about, assumed, command }) => ({
    about,
    assumed,
    because: 'none was among the files',
    command,
  }));
}

function usesClaims(object: KubeObject): boolean {
  if (object.kind !== 'Pod') return false;
  const { volumes = [] } = (object as PodObject).spec; // the kind says so
  return volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined);
}
