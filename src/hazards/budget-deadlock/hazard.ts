/** FM-17: a PodDisruptionBudget that allows no eviction, so a drain of its node never ends. */
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { matchesLabels, objectKey } from '../../model/kubernetes.ts';
import type { PodDisruptionBudgetObject } from '../../model/kubernetes.ts';
import { evidenceIn, finding, judgedInPart, MISSING, missingUnlessLive } from '../finding.ts';

export const hazard: Hazard = {
  id: 'budget-deadlock',
  covers: ['FM-17'],
  title: 'A disruption budget allows no eviction: the drain never ends',
  severity: 'high',
  holdsFor: 'every Kubernetes version with policy/v1 eviction',
  why: 'A drain evicts pods through the eviction API, which answers 429 for as long as the budget allows no disruption. A budget whose minimum equals the number of replicas, or whose maximum unavailable is zero, never allows one, so the node is never empty and the migration waits on it for ever.',
  references: [
    'longhorn/longhorn#4103',
    'longhorn/longhorn#5910',
    'rancher/system-upgrade-controller#78',
    'kubernetes/kubernetes#66811',
  ],
  foretell,
  signs: { occurrences: ['eviction.budget-allows-none'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const findings = facts.workloads.budgets.flatMap((budget) => {
    if (isLonghornInstanceManager(budget.value)) return [];
    const found = fromStatus(facts, budget) ?? fromSpec(facts, budget);
    return found === undefined ? [] : [found];
  });
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.budgets));
}

/** Longhorn drops these budgets itself once its volumes allow it; `longhorn-last-replica` judges them. */
function isLonghornInstanceManager({ metadata }: PodDisruptionBudgetObject): boolean {
  return metadata.namespace === 'longhorn-system' && metadata.name.startsWith('instance-manager');
}

type LocatedBudget = Located<PodDisruptionBudgetObject>;

function fromStatus(facts: ClusterFacts, budget: LocatedBudget): Finding | undefined {
  const { status } = budget.value;
  if (status?.disruptionsAllowed !== 0 || (status.expectedPods ?? 0) === 0) return undefined;
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = status;
  const key = objectKey(budget.value);
  const waits = currentHealthy < desiredHealthy;
  const cause = waits
    ? `only ${currentHealthy} of the ${desiredHealthy} pods it demands are healthy`
    : `it demands ${desiredHealthy} healthy pods and there are ${expectedPods}`;
  return finding(hazard, {
    certainty: 'proven',
    message: `PodDisruptionBudget ${key} allows no disruption now: ${cause}. Every eviction of its pods is answered with 429, so a drain of their nodes does not end until this changes.`,
    evidence: [evidenceIn(facts, budget, 'status.disruptionsAllowed', 0)],
    fix: waits
      ? {
          summary: `Make the pods of ${key} healthy first, or set unhealthyPodEvictionPolicy to AlwaysAllow so that pods that are not ready do not hold the drain.`,
          patch: 'spec:\n  unhealthyPodEvictionPolicy: AlwaysAllow\n',
        }
      : addReplica(key, expectedPods),
  });
}

function fromSpec(facts: ClusterFacts, budget: LocatedBudget): Finding | undefined {
  const { spec, status } = budget.value;
  if (status?.disruptionsAllowed !== undefined) return undefined;
  const replicas = replicasUnder(facts, budget.value);
  const field = spec.maxUnavailable === undefined ? 'minAvailable' : 'maxUnavailable';
  const value = spec[field];
  if (value === undefined || allowed(field, value, replicas) !== 0) return undefined;
  const key = objectKey(budget.value);
  const among = replicas === undefined ? '' : ` of ${replicas} replicas`;
  return finding(hazard, {
    certainty: 'proven',
    message: `PodDisruptionBudget ${key} has ${field}: ${value}${among}, which allows no disruption even when every pod is healthy. Every eviction is answered with 429, so a drain of a node that holds one of its pods does not end.`,
    evidence: [evidenceIn(facts, budget, `spec.${field}`, value)],
    fix: addReplica(key, replicas),
  });
}

/** Disruptions allowed with all pods healthy; undefined where the number of pods is not known. */
function allowed(
  field: 'minAvailable' | 'maxUnavailable',
  value: number | string,
  replicas: number | undefined,
): number | undefined {
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  if (field === 'maxUnavailable' && /^0+%?$/.test(String(value))) return 0;
  if (field === 'minAvailable' && Number(percent) >= 100) return 0;
  if (replicas === undefined || replicas === 0) return undefined;
  // Kubernetes rounds both percentages up (disruption controller).
  const pods =
    percent === undefined ? Number(value) : Math.ceil((replicas * Number(percent)) / 100);
  return Math.max(0, field === 'minAvailable' ? replicas - pods : pods);
}

function replicasUnder(facts: ClusterFacts, budget: PodDisruptionBudgetObject): number | undefined {
  const { deployments, statefulSets } = facts.workloads;
  const owners = [...deployments, ...statefulSets].filter(
    ({ value }) =>
      value.metadata.namespace === budget.metadata.namespace &&
      matchesLabels(budget.spec.selector, value.spec.template.metadata?.labels),
  );
  if (owners.length === 0) return undefined;
  return owners.reduce((sum, { value }) => sum + (value.spec.replicas ?? 1), 0);
}

function addReplica(key: string, replicas: number | undefined) {
  const more = replicas === undefined ? 'one replica more' : `${replicas + 1} replicas`;
  return {
    summary: `Run ${more} behind ${key} for the time of the migration, or let the budget allow one disruption (maxUnavailable: 1) with its owner's consent; else restart the sandboxes in place instead of draining.`,
    patch: 'spec:\n  minAvailable: null\n  maxUnavailable: 1\n',
  };
}
