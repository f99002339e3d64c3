/**
 * The eviction subresource (KK pkg/registry/core/pod/storage/eviction.go): pods that do not run yet,
 * or no longer, go without asking; unready ones by the budget's policy; the rest while the budget
 * allows it.
 */
import type { PodDisruptionBudgetObject, PodObject } from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type Allowance, budgetsOf } from './disruption.ts';

/** Fits the port's `EvictionAnswer`; the status tells a budget (429) from a mistake (500). */
export type EvictionResult =
  | { readonly evicted: true }
  | { readonly evicted: false; readonly status: 404 | 429 | 500; readonly message: string };

const MORE_THAN_ONE =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
const WOULD_VIOLATE = "Cannot evict pod as it would violate the pod's disruption budget.";

export function evictPod(
  { store }: { readonly store: ObjectStore },
  namespace: string,
  name: string,
  gracePeriodSeconds?: number,
): EvictionResult {
  const pod = store.get('Pod', namespace, name);
  if (pod === undefined) {
    return { evicted: false, status: 404, message: `pods "${name}" not found` };
  }
  if (!passesFreely(pod)) {
    const refusal = refusalOf(store, pod);
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
  store: ObjectStore,
  pod: PodObject,
): Extract<EvictionResult, { evicted: false }> | undefined {
  const budgets = budgetsOf(store);
  const [budget, second] = budgets.of(pod);
  if (budget === undefined) return undefined;
  if (second !== undefined) return { evicted: false, status: 500, message: MORE_THAN_ONE };
  const allowance = budgets.allowance(budget);
  if (!isPodReady(pod) && freesUnready(budget, allowance)) return undefined;
  if (allowance.disruptionsAllowed > 0) return undefined;
  const { desiredHealthy, currentHealthy } = allowance;
  const cause = `The disruption budget ${budget.metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  return { evicted: false, status: 429, message: `${WOULD_VIOLATE} ${cause}` };
}

/** By default a pod that is broken may go only while the rest of the budget is whole. */
function freesUnready(budget: PodDisruptionBudgetObject, allowance: Allowance): boolean {
  if (budget.spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  return allowance.desiredHealthy > 0 && allowance.currentHealthy >= allowance.desiredHealthy;
}
