/** FM-22: kube-proxy replacement is switched on while most pods are still on the old network. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'replacement-before-migration',
  covers: ['FM-22'],
  title: 'kube-proxy is replaced in the same step as the CNI',
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 installed beside another CNI',
  why: 'Two data paths that answer for Services keep separate tables. Switching over breaks connections that exist, and while most backends are pods of another network, load balancing to them was broken where this was tried. Done apart, each change can be watched and undone by itself.',
  references: [
    'cilium/cilium#21579',
    'cilium/cilium#16169',
    'cilium/cilium#24531',
    'cilium:Documentation/configuration/per-node-config.rst@main',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.services-taken-over'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const replacing = facts.targets.filter(replacesKubeProxy);
  if (replacing.length === 0) return judged();
  const { sourceCni, kubeProxy } = facts;
  if (!sourceCni.known) return unjudged(MISSING.sourceCni);
  if (sourceCni.value === 'none' || sourceCni.value === 'cilium') return judged();
  if (kubeProxy.known && !kubeProxy.value.present) return judged();
  return judged(
    replacing.map((target) => {
      const at = target.at('kubeProxyReplacement');
      return finding(hazard, {
        certainty: kubeProxy.known ? 'proven' : 'likely',
        message: `kubeProxyReplacement is ${String(at?.value)} in values that bring Cilium beside ${sourceCni.value}. Every Service connection that lives through the switch is cut or stalls, and until the pods behind a Service have moved, Cilium balances to endpoints of a network it does not manage.`,
        evidence: [evidenceAt(at?.source ?? target.source, at?.value)],
        fix: {
          summary:
            'Migrate the CNI first with kube-proxy kept; then switch replacement on node by node with a CiliumNodeConfig; remove kube-proxy last.',
          patch: 'kubeProxyReplacement: false\n',
        },
      });
    }),
  );
}
