/** FM-46: kubelet probes to ambient pods come from a link-local address that BPF cannot route. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING, missingUnlessLive, unjudged } from '../finding.ts';
import { objectsOf, runsImage } from '../objects.ts';
import { isOn } from '../target.ts';

export const hazard: Hazard = {
  id: 'istio-ambient-probes',
  covers: ['FM-46'],
  title: 'Probes of ambient pods are lost with BPF masquerading',
  severity: 'high',
  holdsFor: 'Istio ambient from 1.21; Cilium with bpf.masquerade',
  why: 'Ambient mode rewrites the source of kubelet probes to 169.254.7.127 so that they bypass the mesh. The reply to a link-local address is not routable on the BPF path, so every probe of an ambient pod fails and the pod is taken out or restarted.',
  references: ['istio/istio#57911', 'istio/istio#52208', 'cilium/cilium#46625'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const labelled = objectsOf(facts, 'Namespace')
    .filter(({ object }) => object.metadata.labels?.['istio.io/dataplane-mode'] === 'ambient')
    .map(({ source }) => source);
  const ztunnel = facts.workloads.daemonSets
    .filter(({ value }) => runsImage(value.spec.template.spec, 'ztunnel'))
    .map(({ source }) => source);
  const [ambient] = [...labelled, ...ztunnel];
  if (ambient === undefined) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const key = 'bpf.masquerade';
  return judged(
    facts.targets
      .filter((target) => isOn(target, key))
      .map((target) =>
        finding(hazard, {
          certainty: 'likely',
          message: `Istio runs in ambient mode and ${key} is on. The kubelet's probes reach ambient pods from 169.254.7.127, and replies to that address do not find their way through BPF host routing: the pods turn not Ready on each node that is migrated.`,
          evidence: [
            evidenceAt(target.at(key)?.source ?? target.source, true),
            evidenceAt(ambient),
          ],
          fix: {
            summary:
              'Masquerade with iptables, and allow 169.254.7.127 where a default-deny policy holds.',
            patch: 'bpf:\n  masquerade: false\n',
          },
        }),
      ),
  );
}
