/** FM-43: which destinations see the pod's own address changes with the CNI. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, judgedInPart, MISSING, missingUnlessLive, unjudged } from '../finding.ts';
import { nameOf, objectsOf, runsImage, templates } from '../objects.ts';
import { isOn } from '../target.ts';

export const hazard: Hazard = {
  id: 'ip-masq-agent',
  covers: ['FM-43'],
  title: "The ip-masq-agent's exceptions are not taken over",
  severity: 'medium',
  holdsFor: 'ip-masq-agent beside Cilium 1.13 to 1.20',
  why: "The ip-masq-agent keeps iptables rules that leave the pod's address on packets to some networks. Cilium masquerades on its own, by its own list: destinations that saw pod addresses see node addresses, or the other way round, and firewalls and databases outside refuse them.",
  references: ['cilium/cilium#10939', 'cilium/cilium#17177', 'cilium/cilium#21737'],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const agents = [
    ...templates(facts)
      .filter(({ spec }) => runsImage(spec, 'ip-masq-agent', 'ip-masq-agent-amd64'))
      .map(({ owner }) => owner),
    ...objectsOf(facts, 'ConfigMap')
      .filter(({ object }) => object.metadata.name.startsWith('ip-masq-agent'))
      .map(({ object, source }) => ({ value: object, source })),
  ];
  const [agent] = agents;
  if (agent === undefined) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(
    facts.targets
      .filter((target) => !isOn(target, 'ipMasqAgent.enabled'))
      .map((target) =>
        finding(hazard, {
          certainty: 'likely',
          message: `${nameOf(agent.value)} lists networks that see pod addresses, and ipMasqAgent.enabled is not on in these values. Pods on migrated nodes reach those networks from the address of their node, which whoever filters there does not expect.`,
          evidence: [
            evidenceAt(target.values.nearest('ipMasqAgent.enabled')),
            evidenceAt(agent.source),
          ],
          fix: {
            summary:
              'Give Cilium the same list (its ip-masq-agent reads the same ConfigMap and needs bpf.masquerade), or widen the filters outside before the migration.',
            patch: 'ipMasqAgent:\n  enabled: true\nbpf:\n  masquerade: true\n',
          },
        }),
      ),
  );
}
