/** FM-85: nodes on which Cilium's agent cannot run. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'unsupported-nodes',
  covers: ['FM-85'],
  title: "Cilium's agent cannot run on some of the nodes",
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 (Linux on amd64 and arm64)',
  why: 'The chart schedules the agent on Linux nodes only, and its images exist for amd64 and arm64. Other nodes never leave the old CNI: the migration cannot finish, and removing the old CNI cuts them off.',
  references: ['charts:cilium/values.yaml@1.16.5 (nodeSelector)'],
  foretell,
  signs: { occurrences: [] },
};

const ARCHITECTURES = ['amd64', 'arm64'];

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const foreign = facts.nodes.value.flatMap(({ name, source, object }) => {
    const { operatingSystem = 'linux', architecture = 'amd64' } = object.status.nodeInfo ?? {};
    const runs = operatingSystem === 'linux' && ARCHITECTURES.includes(architecture);
    return runs ? [] : [{ name, source, platform: `${operatingSystem}/${architecture}` }];
  });
  if (foreign.length === 0) return judged();
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(foreign.map(({ name, platform }) => `${name} (${platform})`))} cannot run Cilium's agent. Pods there stay on the old CNI for good, so it must not be removed, and the cluster stays on two networks.`,
      evidence: firstOf(
        foreign.map(({ source, platform }) =>
          evidenceAt({ ...source, path: 'status.nodeInfo' }, platform),
        ),
      ),
      fix: {
        summary:
          'Take these nodes out of the cluster first, or keep the old CNI on them for good and plan for both networks.',
      },
    }),
  ]);
}
