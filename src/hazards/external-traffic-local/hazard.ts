/** FM-40: load balancers judge nodes by a port that kube-proxy and Cilium serve differently. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
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
  unjudged,
} from '../finding.ts';
import { nameOf } from '../objects.ts';
import { replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'external-traffic-local',
  covers: ['FM-40'],
  title: 'Services with externalTrafficPolicy Local change who answers their health checks',
  severity: 'medium',
  holdsFor: 'Cilium 1.13 to 1.20 replacing kube-proxy',
  why: 'A load balancer keeps a node in its pool while the healthCheckNodePort (or port 10256) says that it has a local endpoint. kube-proxy serves these ports today. Cilium serves the first with kube-proxy replacement, the second only when it is told an address, and the two count readiness differently.',
  references: ['cilium/cilium#31333', 'cilium/cilium#12895', 'cilium/cilium#45252', 'KEP-3836'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const local = facts.workloads.services.filter(
    ({ value }) =>
      value.spec.externalTrafficPolicy === 'Local' &&
      (value.spec.type === 'LoadBalancer' || value.spec.type === 'NodePort'),
  );
  if (local.length === 0) return judgedInPart([], missingUnlessLive(facts, MISSING.services));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const replacing = facts.targets.filter(replacesKubeProxy);
  if (replacing.length === 0) return judged();
  const blind = replacing.some(
    (target) => target.at('kubeProxyReplacementHealthzBindAddr') === undefined,
  );
  return judged([
    finding(hazard, {
      certainty: 'likely',
      message: `${count(local.length, 'Service')} with externalTrafficPolicy Local (${listOf(local.map(({ value }) => nameOf(value)))}) depend on health checks that kube-proxy answers today. When Cilium takes over, ${blind ? 'nothing listens on port 10256 (kubeProxyReplacementHealthzBindAddr is not set), and ' : ''}the moment a node counts as healthy changes: a load balancer takes nodes out too early or keeps dead ones.`,
      evidence: firstOf(
        local.map((service) => evidenceIn(facts, service, 'spec.externalTrafficPolicy', 'Local')),
      ),
      fix: {
        summary:
          'Set the bind address, keep kube-proxy until the pool of the load balancer has moved, and probe from outside while nodes are switched.',
        patch: "kubeProxyReplacementHealthzBindAddr: '0.0.0.0:10256'\n",
      },
    }),
  ]);
}
