/** FM-04: Kubernetes IPAM hands Cilium the very ranges that the source CNI gives its pods. */
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'node-pod-cidrs-reused',
  covers: ['FM-04'],
  title: 'ipam.mode kubernetes gives both networks the same pod ranges',
  severity: 'critical',
  holdsFor: 'Cilium 1.13 to 1.20; Flannel, Canal and kindnet as the source',
  why: "With ipam.mode kubernetes Cilium allocates from Node.spec.podCIDRs. Flannel's host-local allocator uses the same ranges and keeps its own book, so on every node both hand out the same addresses while both are there.",
  references: [
    'cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5',
    'talos:internal/app/machined/pkg/controllers/k8s/control_plane_static_pod.go@v1.13.9',
  ],
  foretell,
  signs: { occurrences: [] },
};

const SHARING = ['flannel', 'canal', 'kindnet'];

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const reusing = facts.targets.filter((target) => target.at('ipam.mode')?.value === 'kubernetes');
  if (reusing.length === 0) return judged();
  const { sourceCni } = facts;
  if (!sourceCni.known) return unjudged(MISSING.sourceCni);
  if (!SHARING.includes(sourceCni.value)) return judged();
  return judged(reusing.map((target) => describe(target, sourceCni.value)));
}

function describe(target: TargetFacts, source: string): Finding {
  const mode = target.at('ipam.mode');
  return finding(hazard, {
    certainty: 'proven',
    message: `ipam.mode is kubernetes, so Cilium gives its pods addresses from Node.spec.podCIDRs. ${source} gives its pods addresses from the same ranges and neither knows what the other has given, so a node that holds pods of both ends up with two pods at one address.`,
    evidence: [evidenceAt(mode?.source ?? target.source, 'kubernetes')],
    fix: {
      summary:
        'Use cluster-pool with a range of its own for the migration, and keep it. The mode kubernetes is for clusters that start with Cilium.',
      patch:
        'ipam:\n  mode: cluster-pool\n  operator:\n    clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]\n',
    },
  });
}
