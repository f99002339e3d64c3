/** FM-18: a Longhorn volume with one replica blocks the drain of its node, or dies with it. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  count,
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
  unjudged,
} from '../finding.ts';
import { hasLonghorn, LONGHORN_MISSING, longhornSetting, longhornVolumes } from '../longhorn.ts';
import { numberAt } from '../objects.ts';

export const hazard: Hazard = {
  id: 'longhorn-last-replica',
  covers: ['FM-18'],
  title: 'Longhorn volumes with a single replica block the drain of its node',
  severity: 'high',
  holdsFor: 'Longhorn 1.5 to 1.11 (before 1.5 the setting was a boolean)',
  why: "Longhorn protects each instance manager with a disruption budget and lifts it according to node-drain-policy. Under the default, block-if-contains-last-replica, a node that holds a volume's only replica is never drained; under always-allow the volume is gone until the node is back.",
  references: [
    'longhorn/longhorn#4103',
    'longhorn/longhorn#2673',
    'longhorn/longhorn#5910',
    'longhorn:references/settings.md (node-drain-policy)',
  ],
  foretell,
  signs: { occurrences: [] },
};

const POLICY = 'node-drain-policy';

function foretell(facts: ClusterFacts): Foretelling {
  const volumes = longhornVolumes(facts);
  if (volumes.length === 0) {
    if (hasLonghorn(facts)) return unjudged(LONGHORN_MISSING);
    return judgedInPart([], missingUnlessLive(facts, MISSING.customObjects));
  }
  const single = volumes.filter((volume) => numberAt(volume, 'spec.numberOfReplicas') === 1);
  if (single.length === 0) return judged();
  const policy = longhornSetting(facts, POLICY);
  const names = single.map(({ object }) => object.metadata.name);
  const effect =
    policy === 'always-allow'
      ? 'With always-allow the node is drained all the same, and the volumes are away until it is back; if its disk is not, they are lost.'
      : policy === 'block-for-eviction'
        ? 'Longhorn first moves the replicas to other nodes, which takes as long as copying them does.'
        : 'The drain of a node that holds one of them does not end: Longhorn keeps the budget of its instance manager.';
  return judged([
    finding(hazard, {
      severity: policy === 'block-for-eviction' ? 'medium' : 'high',
      certainty: policy === undefined ? 'likely' : 'proven',
      message: `${count(single.length, 'Longhorn volume has', 'Longhorn volumes have')} one replica: ${listOf(names)}. ${POLICY} is ${policy === undefined ? 'not known (its default is block-if-contains-last-replica)' : `${policy}`}. ${effect}`,
      evidence: firstOf(
        single.map(({ tree, source }) =>
          evidenceAt(tree.at('spec.numberOfReplicas')?.source ?? source, 1),
        ),
      ),
      fix: {
        summary:
          'Give these volumes a second replica before the first node is touched and wait until they are healthy; or let the owner scale the workloads down so that the volumes are detached.',
        patch: 'spec:\n  numberOfReplicas: 2\n',
        command: `kubectl -n longhorn-system patch volumes.longhorn.io ${names[0]} --type merge -p '{"spec":{"numberOfReplicas":2}}'`,
      },
    }),
  ]);
}
