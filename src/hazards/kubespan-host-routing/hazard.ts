/** FM-26: KubeSpan carries the nodes' traffic on a link that BPF host routing passes by. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { isOn } from '../target.ts';

export const hazard: Hazard = {
  id: 'kubespan-host-routing',
  covers: ['FM-26'],
  title: 'KubeSpan needs the host stack that BPF host routing passes by',
  severity: 'high',
  holdsFor: 'Talos 1.5 to 1.14 with KubeSpan; Cilium 1.13 to 1.20',
  why: "KubeSpan captures traffic between nodes with rules in the host's network stack. Cilium's BPF host routing and BPF masquerading bypass that stack, so replies leave by another link than requests came in, and peers of etcd or the API server are lost.",
  references: [
    'siderolabs/talos#4836',
    'siderolabs/talos#9043',
    'siderolabs/talos#11235',
    'siderolabs/talos#12636',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.machineConfigs.length === 0) return unjudged(MISSING.machineConfigs);
  const spanned = facts.machineConfigs.find(
    ({ kubespanEnabled }) => kubespanEnabled.known && kubespanEnabled.value,
  );
  if (spanned === undefined) {
    return facts.machineConfigs.every(({ kubespanEnabled }) => kubespanEnabled.known)
      ? judged()
      : unjudged('whether KubeSpan is on (machine.network.kubespan.enabled)');
  }
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const key = 'bpf.hostLegacyRouting';
  return judged(
    facts.targets
      .filter((target) => !isOn(target, key))
      .map((target) => {
        const masquerade = isOn(target, 'bpf.masquerade');
        return finding(hazard, {
          certainty: masquerade ? 'proven' : 'likely',
          message: `KubeSpan is on and ${key} is not. ${masquerade ? 'BPF masquerading is on as well, which brings BPF host routing with it:' : 'Where Cilium uses BPF host routing,'} packets leave without the rules that send them over the KubeSpan link, so node-to-node traffic is asymmetric and part of it is dropped.`,
          evidence: [
            evidenceAt(target.at(key)?.source ?? target.values.nearest(key)),
            evidenceAt(spanned.input.source, 'kubespan'),
          ],
          fix: {
            summary: 'Set hostLegacyRouting, or switch KubeSpan off first as a change of its own.',
            patch: 'bpf:\n  hostLegacyRouting: true\n',
          },
        });
      }),
  );
}
