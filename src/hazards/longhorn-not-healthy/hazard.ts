/** FM-18: a volume that is degraded already can fault when the next node is touched. */
import type { ReadObject } from '../../model/cluster-input.ts';
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
import { hasLonghorn, LONGHORN_MISSING, longhornVolumes } from '../longhorn.ts';
import { textAt } from '../objects.ts';

export const hazard: Hazard = {
  id: 'longhorn-not-healthy',
  covers: ['FM-18'],
  title: 'Longhorn volumes are not healthy before the migration starts',
  severity: 'critical',
  holdsFor: 'Longhorn 1.4 to 1.11',
  why: 'A degraded volume lives on fewer replicas than it should have. Touching a node restarts its instance manager, which fails every replica and engine in it; when that node holds what is left of a degraded volume, the volume faults and its data are salvaged from an old copy.',
  references: ['longhorn/longhorn#12365', 'longhorn/longhorn#8293', 'cilium/cilium#16669'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const volumes = longhornVolumes(facts);
  if (volumes.length === 0) {
    if (hasLonghorn(facts)) return unjudged(LONGHORN_MISSING);
    return judgedInPart([], missingUnlessLive(facts, MISSING.customObjects));
  }
  const hurt = volumes.filter(isHurt);
  if (hurt.length === 0) return judged();
  const states = hurt.map(
    (volume) => `${volume.object.metadata.name} (${textAt(volume, 'status.robustness')})`,
  );
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${count(hurt.length, 'Longhorn volume is', 'Longhorn volumes are')} not healthy: ${listOf(states)}. The next node that is touched restarts its instance manager; if it holds a replica that such a volume still lives on, the volume faults.`,
      evidence: firstOf(
        hurt.map((volume) =>
          evidenceAt(
            volume.tree.at('status.robustness')?.source ?? volume.source,
            textAt(volume, 'status.robustness'),
          ),
        ),
      ),
      fix: {
        summary:
          'Do not start. Wait for the rebuilds to end, or repair these volumes first; the gate between nodes is that every attached volume is healthy.',
        command: 'kubectl -n longhorn-system get volumes.longhorn.io -w',
      },
    }),
  ]);
}

/** A detached volume that is not faulted says `unknown`, which is how it should be. */
function isHurt(volume: ReadObject): boolean {
  const robustness = textAt(volume, 'status.robustness');
  if (robustness === 'degraded' || robustness === 'faulted') return true;
  return robustness === 'unknown' && textAt(volume, 'status.state') === 'attached';
}
