/**
 * What is remembered of refused evictions: that a budget allows none even with all its pods healthy,
 * that it is used up and by which pods, or that two budgets claim one pod. Each is told once, since
 * whoever drains asks again every five seconds.
 */
import type { PodDisruptionBudgetObject, PodObject } from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { OccurrenceKind } from '../../model/occurrence-kind.ts';
import type { World } from '../world.ts';
import type { Allowance, Budgets } from './disruption.ts';
import { splitKey } from './work-queue.ts';

export type EvictionWorld = Pick<World, 'store' | 'kernel' | 'nodes'>;

/** Unhealthy pods whose reasons are named. */
const REASONS_MAX = 4;

const told = new WeakMap<World['store'], Map<string, OccurrenceId>>();

export function tellOverlap(
  world: EvictionWorld,
  pod: PodObject,
  message: string,
): readonly OccurrenceId[] {
  const subject = {
    kind: 'Pod',
    namespace: pod.metadata.namespace ?? 'default',
    name: pod.metadata.name,
  };
  return [once(world, 'eviction.budgets-overlap', subject, message, [])];
}

export function tellRefusal(
  world: EvictionWorld,
  budgets: Budgets,
  budget: PodDisruptionBudgetObject,
  allowance: Allowance,
  message: string,
): readonly OccurrenceId[] {
  const { namespace = 'default', name } = budget.metadata;
  const subject = { kind: 'PodDisruptionBudget', namespace, name };
  if (allowance.desiredHealthy >= allowance.expectedPods) {
    return [once(world, 'eviction.budget-allows-none', subject, message, [])];
  }
  const because: OccurrenceId[] = [];
  for (const key of budgets.unhealthyOf(budget, REASONS_MAX))
    because.push(...whyUnhealthy(world, key));
  return [once(world, 'eviction.budget-used-up', subject, message, because)];
}

/** What keeps the pod from a network, if anything does; else who wrote it last. */
function whyUnhealthy({ store, nodes }: EvictionWorld, key: string): readonly OccurrenceId[] {
  const { namespace, name } = splitKey(key);
  const pod = store.get('Pod', namespace, name);
  if (pod === undefined) return [];
  const detached = nodes
    .get(pod.spec.nodeName ?? '')
    ?.network.whyDetached?.(pod.metadata.uid ?? '');
  return detached !== undefined && detached.length > 0 ? detached : store.causesOf(pod);
}

function once(
  { store, kernel }: EvictionWorld,
  kind: OccurrenceKind,
  subject: { readonly kind: string; readonly namespace: string; readonly name: string },
  message: string,
  because: readonly OccurrenceId[],
): OccurrenceId {
  let known = told.get(store);
  if (known === undefined) told.set(store, (known = new Map()));
  const key = `${kind} ${subject.namespace}/${subject.name} ${because.join(' ')}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const id = kernel.because([], () => kernel.occur(kind, { subject, message, because }));
  known.set(key, id);
  return id;
}
