/**
 * The eviction subresource (KK pkg/registry/core/pod/storage/eviction.go): pods that do not run yet,
 * or no longer, go without asking; unready ones by the budget's policy; the rest while the budget
 * allows it.
 */
import type { PodDisruptionBudgetObject, PodObject } from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import { type Allowance, budgetsOf } from './disruption.ts';
import { type EvictionWorld, tellOverlap, tellRefusal } from './eviction-refusals.ts';

/** Fits the port's `EvictionAnswer`; the status tells a budget (429) from a mistake (500). */
export type EvictionResult =
  | { readonly evicted: true }
  | {
      readonly evicted: false;
      readonly status: 404 | 429 | 500;
      readonly message: string;
      readonly because: readonly OccurrenceId[];
    };

const MORE_THAN_ONE =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
const WOULD_VIOLATE = "Cannot evict pod as it would violate the pod's disruption budget.";

export function evictPod(
  world: EvictionWorld,
  namespace: string,
  name: string,
  gracePeriodSeconds?: number,
): EvictionResult {
  const { store } = world;
  const pod = store.get('Pod', namespace, name);
  if (pod === undefined) {
    return { evicted: false, status: 404, message: `pods "${name}" not found`, because: [] };
  }
  if (!passesFreely(pod)) {
    const refusal = refusalOf(world, pod);
    if (refusal !== undefined) return refusal;
  }
  budgetsOf(store).leave(pod);
  store.delete('Pod', namespace, name, gracePeriodSeconds);
  return { evicted: true };
}

function passesFreely(pod: PodObject): boolean {
  const { phase } = pod.status;
  const runs = phase === 'Running' || phase === undefined;
  return !runs || pod.metadata.deletionTimestamp !== undefined;
}

function refusalOf(
  world: EvictionWorld,
  pod: PodObject,
): Extract<EvictionResult, { evicted: false }> | undefined {
  const budgets = budgetsOf(world.store);
  const [budget, second] = budgets.of(pod);
  if (budget === undefined) return undefined;
  if (second !== undefined) {
    const because = tellOverlap(world, pod, MORE_THAN_ONE);
    return { evicted: false, status: 500, message: MORE_THAN_ONE, because };
  }
  const allowance = budgets.allowance(budget);
  if (!isPodReady(pod) && freesUnready(budget, allowance)) return undefined;
  if (allowance.disruptionsAllowed > 0) return undefined;
  const { desiredHealthy, currentHealthy } = allowance;
  const cause = `The disruption budget ${budget.metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  const because = tellRefusal(world, budgets, budget, allowance, cause);
  return { evicted: false, status: 429, message: `${WOULD_VIOLATE} ${cause}`, because };
}

/** By default a pod that is broken may go only while the rest of the budget is whole. */
function freesUnready(budget: PodDisruptionBudgetObject, allowance: Allowance): boolean {
  if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return allowance.desiredHealthy > 0 && allowance.currentHealthy >= allowance.desiredHealthy;
}
