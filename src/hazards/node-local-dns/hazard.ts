/** FM-67: NodeLocal DNSCache is bypassed by socket load balancing. */
import { atLeast } from '../../base/versions.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING, missingUnlessLive, unjudged } from '../finding.ts';
import { nameOf, runsImage } from '../objects.ts';
import { isOn, replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'node-local-dns',
  covers: ['FM-67'],
  title: 'NodeLocal DNSCache needs a redirect policy under Cilium',
  severity: 'high',
  holdsFor: 'NodeLocal DNSCache beside Cilium 1.13 to 1.20 replacing kube-proxy',
  why: 'The cache listens on the kube-dns ClusterIP with rules that keep those packets on the node. Cilium translates the ClusterIP before they are seen, so the cache is passed by, or its link-local address does not answer; the DNS of pods on migrated nodes changes its path or stops.',
  references: [
    'cilium/cilium#13040',
    'cilium/cilium#16906',
    'cilium/cilium#41241',
    'cilium:Documentation/network/kubernetes/local-redirect-policy.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: [] },
};

const KEYS = ['localRedirectPolicy', 'localRedirectPolicies.enabled'];

function foretell(facts: ClusterFacts): Foretelling {
  const cache = facts.workloads.daemonSets.find(
    ({ value }) =>
      value.metadata.name === 'node-local-dns' ||
      runsImage(value.spec.template.spec, 'k8s-dns-node-cache'),
  );
  if (cache === undefined) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(
    facts.targets
      .filter((target) => replacesKubeProxy(target) && !KEYS.some((key) => isOn(target, key)))
      .map((target) => {
        const replacement = target.at('kubeProxyReplacement');
        return finding(hazard, {
          certainty: 'likely',
          message: `${nameOf(cache.value)} caches DNS on every node, and these values replace kube-proxy without local redirect policies. On a migrated node, questions to the kube-dns ClusterIP go past the cache, and those to its link-local address can be dropped.`,
          evidence: [
            evidenceAt(replacement?.source ?? target.source, replacement?.value),
            evidenceAt(cache.source),
          ],
          fix: {
            summary:
              'Use plain CoreDNS during the migration, or switch local redirect policies on and give the cache its CiliumLocalRedirectPolicy first.',
            patch: policyPatch(target),
          },
        });
      }),
  );
}

/** The value's name since chart 1.18, which still takes the old one as deprecated. */
function policyPatch({ chartVersion }: TargetFacts): string {
  return chartVersion.known && atLeast(chartVersion.value, '1.18.0')
    ? 'localRedirectPolicies:\n  enabled: true\n'
    : 'localRedirectPolicy: true\n';
}
