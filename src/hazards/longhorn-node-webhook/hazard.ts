/** FM-21: Longhorn 1.11.0 asks its own pods before any Node may be changed. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING, missingUnlessLive } from '../finding.ts';
import { longhornVersion } from '../longhorn.ts';
import { runsImage, templates } from '../objects.ts';

export const hazard: Hazard = {
  id: 'longhorn-node-webhook',
  covers: ['FM-21'],
  title: 'Longhorn 1.11.0 blocks every change of a Node while its manager is unreachable',
  severity: 'critical',
  holdsFor: 'Longhorn 1.11.0 alone; 1.11.1 removed it',
  why: 'Longhorn 1.11.0 registered an admission webhook with failurePolicy Fail on updates of Nodes. While longhorn-manager cannot be reached, no node can be cordoned, uncordoned, labelled or tainted, by anybody: a step that hands a node over cannot even begin or end.',
  references: ['longhorn/longhorn#12578', 'longhorn/longhorn#12642'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const version = longhornVersion(facts);
  if (version === undefined) {
    return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  }
  if (version !== 'v1.11.0') return judged();
  const manager = templates(facts).find(({ spec }) => runsImage(spec, 'longhorn-manager'));
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message:
        'longhorn-manager runs v1.11.0, which validates every update of a Node through its own pods with failurePolicy Fail. When the pod network of the nodes they run on breaks, cordon, uncordon, labels and taints are refused for all nodes, and so is the way back.',
      evidence: manager === undefined ? [] : [evidenceAt(manager.owner.source, version)],
      fix: {
        summary: 'Upgrade Longhorn to 1.11.1 or later before the migration.',
      },
    }),
  ]);
}
