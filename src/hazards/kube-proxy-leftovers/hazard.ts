/** FM-23: rules of a kube-proxy that is gone stay in the kernel and answer before Cilium does. */
import { known } from '../../model/fact.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, unjudged } from '../finding.ts';
import { replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'kube-proxy-leftovers',
  covers: ['FM-23'],
  title: "kube-proxy's rules outlive it and shadow the new data path",
  severity: 'medium',
  holdsFor: 'every kube-proxy mode; Talos defaults to nftables from Kubernetes 1.31',
  why: 'kube-proxy removes nothing when it stops. Its frozen rules go on sending Service traffic to endpoints that are gone, for every packet that BPF does not handle first. In nftables mode they are a table that an audit of iptables does not show.',
  references: [
    'kubernetes/kubernetes#102314',
    'kubernetes/kubernetes#119265',
    'talos:internal/app/machined/pkg/controllers/k8s/control_plane.go@v1.10.5 (getProxyArgs)',
  ],
  foretell,
  signs: { occurrences: [] },
};

const LEFT = {
  iptables: 'the KUBE-* chains of the nat and filter tables',
  ipvs: 'the device kube-ipvs0, which holds every Service address, and the KUBE-* ipsets',
  nftables: 'the nftables table kube-proxy, which `iptables-save` does not show',
};

function foretell(facts: ClusterFacts): Foretelling {
  const { kubeProxy } = facts;
  if (!kubeProxy.known) return unjudged('whether kube-proxy runs (kubectl -n kube-system get ds)');
  if (!kubeProxy.value.present) return judged();
  const removed = removals(facts);
  if (removed.length === 0) return judged();
  const { mode } = kubeProxy.value;
  const left = mode.known ? LEFT[mode.value] : 'its rules (which ones depends on its mode)';
  return judged([
    finding(hazard, {
      certainty: known(mode.known, kubeProxy.source).value ? 'proven' : 'likely',
      message: `kube-proxy runs${mode.known ? ` in ${mode.value} mode` : ''} and is to be replaced. When its DaemonSet is gone, ${left} stay on each node until somebody removes them or the node boots, and keep sending what BPF does not take to endpoints of the past.`,
      evidence: [evidenceAt(kubeProxy.source), ...removed],
      fix: {
        summary:
          'After Cilium has taken over Services on a node, clean up there: run the kube-proxy image once with --cleanup, or boot the node; then look in all three rule sets.',
        command: 'kube-proxy --cleanup',
      },
    }),
  ]);
}

/** What says that kube-proxy is to go. */
function removals({ targets, machineConfigs }: ClusterFacts): readonly Evidence[] {
  const replaced = targets.filter(replacesKubeProxy).map((target) => {
    const at = target.at('kubeProxyReplacement');
    return evidenceAt(at?.source ?? target.source, at?.value);
  });
  const disabled = machineConfigs.flatMap(({ proxyDisabled }) =>
    proxyDisabled.known && proxyDisabled.value ? [evidenceAt(proxyDisabled.source, true)] : [],
  );
  return [...replaced, ...disabled];
}
