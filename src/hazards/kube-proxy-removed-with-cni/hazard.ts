/** FM-22: kube-proxy and the CNI are exchanged in one go. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING } from '../finding.ts';
import { replacesKubeProxy } from '../target.ts';
import { cniNone, proxyOff } from '../talos.ts';

export const hazard: Hazard = {
  id: 'kube-proxy-removed-with-cni',
  covers: ['FM-22', 'FM-06'],
  title: 'kube-proxy is taken away together with the CNI',
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20, every distribution with kube-proxy',
  why: "Cilium's service tables know nothing of connections that kube-proxy translated, so replacing it breaks those; and its load-balancing to pods that another CNI still carries was reported broken. With kube-proxy kept, traffic across both networks works. Exchanged together, Services fail while nobody can tell which change did it.",
  references: [
    'cilium:Documentation/network/kubernetes/kubeproxy-free.rst@main',
    'cilium/cilium#21579',
    'cilium/cilium#24531',
  ],
  foretell,
  signs: { occurrences: [] },
};

const FIX = {
  summary:
    'Migrate the CNI with kubeProxyReplacement: false and kube-proxy in place. When every pod is on Cilium, replace kube-proxy node by node with a CiliumNodeConfig, then take it out of the machine config.',
  patch: 'kubeProxyReplacement: false\n',
};

function foretell(facts: ClusterFacts): Foretelling {
  const together = facts.machineConfigs.flatMap(inOneConfig);
  const targets = whileOldPodsRun(facts);
  const found = [...together, ...targets];
  if (found.length > 0) return judged(found);
  const told = facts.targets.length > 0 || facts.machineConfigs.length > 0;
  return told ? judged() : judgedInPart([], [MISSING.targetValues, MISSING.machineConfigs]);
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

function whileOldPodsRun(facts: ClusterFacts): readonly Finding[] {
  const { sourceCni, kubeProxy } = facts;
  if (!sourceCni.known || ['cilium', 'none'].includes(sourceCni.value)) return [];
  if (kubeProxy.known && !kubeProxy.value.present) return [];
  return facts.targets.flatMap((target) => {
    const set = target.at('kubeProxyReplacement');
    if (set === undefined || !replacesKubeProxy(target)) return [];
    return [
      finding(hazard, {
        certainty: 'likely',
        message: `kubeProxyReplacement is ${String(set.value)} while ${sourceCni.value} still carries pods. Connections that kube-proxy translated break on each node as its agent takes over, and Services whose pods are on the other network may not be reached.`,
        evidence: [evidenceAt(set.source, set.value)],
        fix: FIX,
      }),
    ];
  });
}
