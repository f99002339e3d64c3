/** FM-32: a node says its network is unavailable, and nothing schedules there. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'network-unavailable',
  covers: ['FM-32'],
  title: 'Nodes are not Ready for the network before anything was changed',
  severity: 'high',
  holdsFor: 'every distribution',
  why: 'The condition NetworkUnavailable belongs to whoever wrote it last, a CNI or a cloud controller. Left True it taints the node; a node whose runtime has no network is not Ready at all. A migration that starts from there cannot tell its own faults from those it found.',
  references: ['projectcalico/calico#7816', 'kubernetes/kubernetes#120486', 'cilium/cilium#16846'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const hurt = facts.nodes.value.flatMap(({ name, source, object }) => {
    const conditions = object.status.conditions ?? [];
    const unavailable = conditions.find(
      ({ type, status }) => type === 'NetworkUnavailable' && status === 'True',
    );
    const unready = conditions.find(
      ({ type, status, message }) =>
        type === 'Ready' && status !== 'True' && /network/i.test(message ?? ''),
    );
    const found = unavailable ?? unready;
    if (found === undefined) return [];
    const why = found.message ?? found.reason ?? `${found.type} is ${found.status}`;
    return [{ name, why, evidence: evidenceAt({ ...source, path: 'status.conditions' }, why) }];
  });
  if (hurt.length === 0) return judged();
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(hurt.map(({ name }) => name))} ${hurt.length === 1 ? 'has' : 'have'} no working network now: ${hurt[0]?.why}. Nothing can be evicted there, and the gates between nodes cannot hold.`,
      evidence: firstOf(hurt.map(({ evidence }) => evidence)),
      fix: {
        summary:
          'Repair these nodes on the old network first, or say that they are to be migrated first as they are.',
      },
    }),
  ]);
}
