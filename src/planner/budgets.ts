/**
 * Budgets that can never allow an eviction, whatever is healthy: as many pods wanted as there are.
 * Their pods are restarted in place, since waiting for such a budget is waiting for ever (FM-17).
 */
import { groupBy } from '../base/group-by.ts';
import type { ClusterFacts } from '../model/facts.ts';
import {
  matchesLabels,
  type PodDisruptionBudgetObject,
  type PodObject,
} from '../model/kubernetes.ts';

export function budgetsWithoutRoom(facts: ClusterFacts): readonly string[] {
  const pods = groupBy(
    facts.workloads.pods.map(({ value }) => value),
    ({ metadata }) => metadata.namespace ?? 'default',
  );
  return facts.workloads.budgets
    .map(({ value }) => value)
    .filter((budget) => !guardsInstanceManagers(budget))
    .filter((budget) => neverAllows(budget, pods.get(budget.metadata.namespace ?? 'default') ?? []))
    .map(({ metadata }) => `${metadata.namespace ?? 'default'}/${metadata.name}`)
    .toSorted();
}

/** Longhorn lifts those itself when a cordoned node holds no engine and no last replica. */
function guardsInstanceManagers({ spec }: PodDisruptionBudgetObject): boolean {
  return Object.keys(spec.selector?.matchLabels ?? {}).some((key) =>
    key.startsWith('longhorn.io/'),
  );
}

function neverAllows(
  { spec, status }: PodDisruptionBudgetObject,
  pods: readonly PodObject[],
): boolean {
  const matching = pods.filter((pod) => matchesLabels(spec.selector, pod.metadata.labels)).length;
  const expected = status?.expectedPods ?? matching;
  if (expected === 0) return false;
  if (spec.maxUnavailable !== undefined) return countOf(spec.maxUnavailable, expected) === 0;
  return spec.minAvailable !== undefined && countOf(spec.minAvailable, expected) >= expected;
}

/** Percentages round up, both ways (kubernetes disruption.go). */
function countOf(value: number | string, of: number): number {
  if (typeof value === 'number') return value;
  return value.endsWith('%') ? Math.ceil((Number.parseFloat(value) / 100) * of) : Number(value);
}
