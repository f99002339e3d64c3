/** FM-24: kube-proxy in IPVS mode and Cilium get in each other's way on one node. */
import { valueOr } from '../../model/fact.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { hangsBesideIpvs } from '../../knowledge/cilium-versions.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'kube-proxy-ipvs',
  covers: ['FM-24'],
  title: 'kube-proxy runs in IPVS mode beside Cilium',
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20; worst with 1.19.0 and 1.19.1',
  why: 'In IPVS mode every Service address is a local address of the node (kube-ipvs0), and its packet marks clash with the rules Cilium installs. NodePorts fail from migrated nodes, and agents of 1.19.0 and 1.19.1 hang in their init container because their way to the API goes through it.',
  references: ['cilium/cilium#44464', 'cilium/cilium#18610', 'kubernetes/kubernetes#76022'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const { kubeProxy } = facts;
  if (!kubeProxy.known) return unjudged('the mode of kube-proxy (its ConfigMap or arguments)');
  if (!kubeProxy.value.present) return judged();
  const { mode } = kubeProxy.value;
  if (!mode.known) return unjudged('the mode of kube-proxy (its ConfigMap or arguments)');
  if (mode.value !== 'ipvs') return judged();
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(facts.targets.map((target) => describe(target, evidenceAt(mode.source, 'ipvs'))));
}

function describe(target: TargetFacts, ipvs: Finding['evidence'][number]): Finding {
  const version = valueOr(target.chartVersion, '');
  const hangs = version !== '' && hangsBesideIpvs(version);
  return finding(hazard, {
    severity: hangs ? 'critical' : 'high',
    certainty: hangs ? 'proven' : 'likely',
    message: hangs
      ? `kube-proxy runs in IPVS mode and Cilium ${version} is to be installed: its agents hang in the init container "config" as soon as they restart, because their connection to the API server is lost between the two.`
      : `kube-proxy runs in IPVS mode. Its marks clash with the rules of Cilium on the same node, so NodePorts (and with some versions Services) fail from nodes that are migrated.`,
    evidence: [ipvs, evidenceAt(target.source)],
    fix: {
      summary:
        'Move kube-proxy to iptables or nftables mode first, as a change of its own, and clean up kube-ipvs0; or take Cilium 1.19.2 or later and switch Services over in the same node step.',
    },
  });
}
