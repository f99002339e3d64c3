/** FM-55: nodes that are cordoned already, by somebody who may uncordon them at any time. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'cordoned-nodes',
  covers: ['FM-55'],
  title: 'Nodes are cordoned before the migration starts',
  severity: 'medium',
  holdsFor: 'every Kubernetes version',
  why: "Cordoning is one flag that everybody shares. A node that is cordoned now is in somebody's hands, or was forgotten; its capacity is missing for the pods that will be evicted, and whoever set the flag may take it away while the node is being changed.",
  references: ['kubereboot/kured#63', 'kubereboot/kured#1129', 'kubereboot/kured#1409'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const cordoned = facts.nodes.value.filter(({ unschedulable }) => unschedulable);
  if (cordoned.length === 0) return judged();
  const byTalos = cordoned.some(
    ({ object }) => object.metadata.annotations?.['talos.dev/cordoned'] !== undefined,
  );
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(cordoned.map(({ name }) => name))} ${cordoned.length === 1 ? 'is' : 'are'} cordoned${byTalos ? ' (Talos marks some as its own and uncordons them at boot)' : ''}. The pods of drained nodes have that much less room, and the migration cannot tell whether it may uncordon ${cordoned.length === 1 ? 'it' : 'them'} at the end.`,
      evidence: firstOf(
        cordoned.map(({ source }) => evidenceAt({ ...source, path: 'spec.unschedulable' }, true)),
      ),
      fix: {
        summary:
          'Find out who cordoned them and finish that first; nodes that must stay cordoned are told to the migration, which then leaves them so.',
        command: `kubectl uncordon ${cordoned[0]?.name}`,
      },
    }),
  ]);
}
