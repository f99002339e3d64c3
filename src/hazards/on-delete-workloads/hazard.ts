/** FM-52: OnDelete workloads keep their old pods until somebody deletes them. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  evidenceIn,
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { nameOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'on-delete-workloads',
  covers: ['FM-52'],
  title: 'Workloads with OnDelete are not restarted by a rollout',
  severity: 'low',
  holdsFor: 'every Kubernetes version',
  why: 'A rollout restart of a DaemonSet or StatefulSet with update strategy OnDelete restarts nothing, and a drain leaves DaemonSets alone. Such pods keep the old network until they are deleted one by one, and lose their connections when it is removed.',
  references: [
    'kubernetes:apps/v1 DaemonSetUpdateStrategy',
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const { daemonSets, statefulSets } = facts.workloads;
  const kept = [...daemonSets, ...statefulSets].filter(
    ({ value }) =>
      value.spec.updateStrategy?.type === 'OnDelete' &&
      value.spec.template.spec.hostNetwork !== true,
  );
  if (kept.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(kept.map(({ value }) => nameOf(value)))} ${kept.length === 1 ? 'has' : 'have'} update strategy OnDelete: a rollout restart leaves the pods as they are. Where the node is not rebooted or its sandboxes restarted, they stay on the old network.`,
      evidence: firstOf(
        kept.map((workload) => evidenceIn(facts, workload, 'spec.updateStrategy.type', 'OnDelete')),
      ),
      fix: {
        summary:
          'Delete these pods one by one in the step of their node, and gate the removal of the old network on no pod having an address of it.',
      },
    }),
  ]);
}
