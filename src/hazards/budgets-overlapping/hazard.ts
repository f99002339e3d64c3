/** FM-17: two budgets select one pod; the eviction API then refuses to evict it at all. */
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { matchesLabels } from '../../model/kubernetes.ts';
import type { PodDisruptionBudgetObject } from '../../model/kubernetes.ts';
import {
  evidenceIn,
  finding,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { nameOf, templates } from '../objects.ts';

export const hazard: Hazard = {
  id: 'budgets-overlapping',
  covers: ['FM-17'],
  title: 'Two disruption budgets select the same pod: it cannot be evicted',
  severity: 'high',
  holdsFor: 'every Kubernetes version with policy/v1 eviction',
  why: 'The eviction API handles one budget per pod. A pod that two budgets select is refused with a server error, whatever the budgets allow, and a drain retries that for ever.',
  references: [
    'kubernetes:pkg/registry/core/pod/storage/eviction.go',
    'kubernetes/kubernetes#66811',
  ],
  foretell,
  signs: { occurrences: ['eviction.budgets-overlap'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const byNamespace = new Map<string, Located<PodDisruptionBudgetObject>[]>();
  for (const budget of facts.workloads.budgets) {
    const namespace = budget.value.metadata.namespace ?? '';
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), budget]);
  }
  const findings = templates(facts).flatMap(({ owner, labels }): readonly Finding[] => {
    const budgets = (byNamespace.get(owner.value.metadata.namespace ?? '') ?? []).filter(
      ({ value }) => matchesLabels(value.spec.selector, labels),
    );
    // A DaemonSet's pods are not evicted by a drain.
    if (budgets.length < 2 || owner.value.kind === 'DaemonSet') return [];
    const names = budgets.map(({ value }) => value.metadata.name).toSorted();
    return [
      finding(hazard, {
        certainty: 'proven',
        message: `The pods of ${nameOf(owner.value)} are selected by ${names.length} disruption budgets: ${listOf(names)}. The eviction API refuses a pod with more than one budget, whatever they allow, so a drain of its node does not end.`,
        evidence: budgets.map((budget) => evidenceIn(facts, budget, 'spec.selector')),
        fix: {
          summary: `Delete all but one of the budgets, or narrow their selectors so that each pod has one.`,
        },
      }),
    ];
  });
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.budgets, MISSING.workloads));
}
