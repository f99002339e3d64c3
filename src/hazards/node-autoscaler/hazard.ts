/** FM-38: something adds nodes with the old CNI or removes the ones that were drained. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { nameOf, objectsOf, runsImage, templates } from '../objects.ts';

export const hazard: Hazard = {
  id: 'node-autoscaler',
  covers: ['FM-38'],
  title: 'An autoscaler adds nodes on the old CNI and removes drained ones',
  severity: 'high',
  holdsFor: 'Cluster Autoscaler and Karpenter, every version',
  why: 'A drained node looks unused and is removed while it is being migrated. A node that is added comes from a template that knows neither the migration label nor the start-up taint, so pods start on the old network, or before the agent is ready.',
  references: ['aws/karpenter#628', 'cilium/cilium#23394'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const scalers = [
    ...templates(facts)
      .filter(({ spec, replicas }) => runsImage(spec, 'cluster-autoscaler') && replicas !== 0)
      .map(({ owner }) => owner),
    ...objectsOf(facts, 'NodePool', 'Provisioner')
      .filter(({ object }) => object.apiVersion.startsWith('karpenter.sh/'))
      .map(({ object, source }) => ({ value: object, source })),
  ];
  if (scalers.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  return judged([
    finding(hazard, {
      certainty: 'likely',
      message: `${listOf(scalers.map(({ value }) => nameOf(value)))} ${scalers.length === 1 ? 'changes' : 'change'} the set of nodes. During the migration a drained node is the first that is scaled away, and a node that joins has neither the migration's label nor Cilium's start-up taint.`,
      evidence: firstOf(scalers.map(({ source }) => evidenceAt(source))),
      fix: {
        summary:
          'Pause scale-down for the time of the migration, and put the label and the taint node.cilium.io/agent-not-ready into the templates of new nodes.',
        command:
          'kubectl annotate nodes --all cluster-autoscaler.kubernetes.io/scale-down-disabled=true',
      },
    }),
  ]);
}
