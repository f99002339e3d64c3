/** FM-57: pods whose volume exists on one node cannot go anywhere while it is drained. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import type { PersistentVolumeObject } from '../../model/kubernetes.ts';
import {
  count,
  evidenceIn,
  finding,
  firstOf,
  judged,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';

export const hazard: Hazard = {
  id: 'local-volumes',
  covers: ['FM-57'],
  title: 'Volumes that exist on one node keep their pods from moving',
  severity: 'medium',
  holdsFor: 'local, hostPath and topology-bound volumes on every distribution',
  why: 'A volume with a node affinity can be used on that node only. Its pod is evicted by the drain and stays Pending until the node is uncordoned, however long its step takes: downtime of that workload is part of the plan, whether it was planned or not.',
  references: ['kubernetes:core/v1 PersistentVolume nodeAffinity', 'projectcalico/calico#5074'],
  foretell,
  signs: { occurrences: ['scheduler.volume-elsewhere'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const bound = facts.workloads.persistentVolumes.filter(
    ({ value }) => value.spec.claimRef !== undefined && isPinned(value),
  );
  if (bound.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.volumes));
  const claims = bound.map(({ value: { spec } }) => {
    const { namespace = 'default', name = '' } = spec.claimRef ?? {};
    return `${namespace}/${name}`;
  });
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${count(bound.length, 'claim is', 'claims are')} bound to a volume of one node: ${listOf(claims)}. The pods that use ${bound.length === 1 ? 'it' : 'them'} are down from the drain of that node until it is uncordoned.`,
      evidence: firstOf(
        bound.map((volume) =>
          evidenceIn(
            facts,
            volume,
            volume.value.spec.hostPath === undefined ? 'spec.nodeAffinity' : 'spec.hostPath',
          ),
        ),
      ),
      fix: {
        summary:
          'Tell the owners, or use the strategy that restarts sandboxes in place: the pod keeps its node and its volume and is down for seconds.',
      },
    }),
  ]);
}

function isPinned({ spec }: PersistentVolumeObject): boolean {
  if (spec.local !== undefined || spec.hostPath !== undefined) return true;
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  return (
    terms.length > 0 &&
    terms.every(({ matchExpressions = [] }) =>
      matchExpressions.some(
        ({ key, values = [] }) => /hostname$|topology\..*\/node$/.test(key) && values.length === 1,
      ),
    )
  );
}
