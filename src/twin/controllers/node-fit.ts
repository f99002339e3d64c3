/** Whether a node's labels and taints let a pod on it; shared by the scheduler and DaemonSets. */
import type {
  NodeObject,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from '../../model/kubernetes.ts';

export function matchesNodeSelector(spec: PodSpec, node: NodeObject): boolean {
  const labels = node.metadata.labels ?? {};
  for (const key in spec.nodeSelector) if (labels[key] !== spec.nodeSelector[key]) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesAnyTerm(required.nodeSelectorTerms, node);
}

export function matchesAnyTerm(terms: readonly NodeSelectorTerm[], node: NodeObject): boolean {
  return terms.some((term) => matchesTerm(term, node));
}

function matchesTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  node: NodeObject,
): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every(({ key, operator, values = [] }) =>
      matches(labels[key], operator, values),
    ) &&
    matchFields.every(
      ({ key, operator, values = [] }) =>
        key === 'metadata.name' && matches(node.metadata.name, operator, values),
    )
  );
}

function matches(value: string | undefined, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** The one node a pod may run on by name, as DaemonSet pods have it; undefined when it is free. */
export function pinnedNode(spec: PodSpec): string | undefined {
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms?.length !== 1) return undefined;
  const field = terms[0]?.matchFields?.find(
    ({ key, operator }) => key === 'metadata.name' && operator === 'In',
  );
  return field?.values?.length === 1 ? field.values[0] : undefined;
}

/** The first taint of the given effects that nothing tolerates. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: ReadonlySet<Taint['effect']>,
): Taint | undefined {
  if (taints === undefined) return undefined;
  for (const taint of taints)
    if (effects.has(taint.effect) && !isTolerated(taint, tolerations)) return taint;
  return undefined;
}

function isTolerated(taint: Taint, tolerations: readonly Toleration[] = []): boolean {
  for (const toleration of tolerations) if (tolerates(toleration, taint)) return true;
  return false;
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key, operator = 'Equal', value = '', effect } = toleration;
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  if (key !== taint.key) return false;
  return operator === 'Exists' || value === (taint.value ?? '');
}

export const UNSCHEDULABLE: Taint = {
  key: 'node.kubernetes.io/unschedulable',
  effect: 'NoSchedule',
};
