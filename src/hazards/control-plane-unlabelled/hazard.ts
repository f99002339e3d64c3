/** FM-56: control planes that a tool going by labels takes for workers. */
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
  unjudged,
} from '../finding.ts';

export const hazard: Hazard = {
  id: 'control-plane-unlabelled',
  covers: ['FM-56'],
  title: 'Control planes do not carry the control-plane label',
  severity: 'high',
  holdsFor: 'every distribution; the old label left Kubernetes with 1.24',
  why: 'Tools tell control planes by a node label. Where it is missing, or the old one is there alone, a control plane is treated as a worker: migrated in parallel with others, or first, which costs etcd its quorum.',
  references: ['calico:kube-controllers/pkg/controllers/flannelmigration', 'KEP-2067'],
  foretell,
  signs: { occurrences: [] },
};

const LABEL = 'node-role.kubernetes.io/control-plane';

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const servers = new Map(
    facts.workloads.pods
      .filter(
        ({ value: { metadata, spec } }) =>
          metadata.namespace === 'kube-system' &&
          metadata.name === `kube-apiserver-${spec.nodeName}`,
      )
      .map((pod) => [pod.value.spec.nodeName, pod]),
  );
  if (servers.size === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.pods));
  const unlabelled = facts.nodes.value.filter(
    ({ name, object }) => servers.has(name) && object.metadata.labels?.[LABEL] === undefined,
  );
  if (unlabelled.length === 0) return judged();
  const [first] = unlabelled;
  return judged([
    finding(hazard, {
      certainty: 'proven',
      message: `${listOf(unlabelled.map(({ name }) => name))} ${unlabelled.length === 1 ? 'runs' : 'run'} a kube-apiserver and ${unlabelled.length === 1 ? 'does' : 'do'} not carry the label ${LABEL}. Whatever goes by labels migrates ${unlabelled.length === 1 ? 'it' : 'them'} as a worker.`,
      evidence: firstOf(
        unlabelled.map(({ source }) => evidenceAt({ ...source, path: 'metadata.labels' })),
      ),
      fix: {
        summary: 'Label the control planes.',
        command: `kubectl label node ${first?.name} ${LABEL}=`,
      },
    }),
  ]);
}
