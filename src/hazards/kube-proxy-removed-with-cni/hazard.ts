/** FM-22: kube-proxy and the CNI are exchanged in one go. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING } from '../finding.ts';
import { cniNone, proxyOff } from '../talos.ts';

export const hazard: Hazard = {
  id: 'kube-proxy-removed-with-cni',
  covers: ['FM-22', 'FM-06'],
  title: 'kube-proxy is taken away together with the CNI',
  severity: 'high',
  holdsFor: 'Talos 1.7 to 1.14; Cilium 1.13 to 1.20',
  why: "Cilium's service tables know nothing of connections that kube-proxy translated, so replacing it breaks those; and its load-balancing to pods that another CNI still carries was reported broken. With kube-proxy kept, traffic across both networks works. Exchanged together, Services fail while nobody can tell which change did it.",
  references: [
    'cilium:Documentation/network/kubernetes/kubeproxy-free.rst@main',
    'cilium/cilium#21579',
    'cilium/cilium#24531',
  ],
  foretell,
  signs: { occurrences: ['kube-proxy.removed'] },
};

const FIX = {
  summary:
    'Migrate the CNI with kubeProxyReplacement: false and kube-proxy in place. When every pod is on Cilium, replace kube-proxy node by node with a CiliumNodeConfig, then take it out of the machine config.',
  patch: 'kubeProxyReplacement: false\n',
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return judgedInPart([], [MISSING.machineConfigs]);
  return judged(facts.machineConfigs.flatMap(inOneConfig));
}

function inOneConfig(config: MachineConfigFacts): readonly Finding[] {
  const none = cniNone(config);
  const off = proxyOff(config);
  if (config.kind !== 'patch' || none === undefined || off === undefined) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message:
        'One patch takes the CNI and kube-proxy away. Talos deletes neither by itself, but it creates kube-proxy no more: from the next removal or prune on, nothing translates Services on nodes whose agent does not replace it yet.',
      evidence: [off, none],
      fix: FIX,
    }),
  ];
}
