/** FM-72: a port of Cilium's agents on the host is taken by another pod. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { containersOf, nameOf, templates } from '../objects.ts';
import type { Template } from '../objects.ts';
import { finding, judgedInPart, listOf, MISSING, missingUnlessLive } from '../finding.ts';

export const hazard: Hazard = {
  id: 'host-ports-in-use',
  covers: ['FM-72'],
  title: "A host port of Cilium's agent or operator is taken",
  severity: 'high',
  holdsFor: 'Cilium 1.13 to 1.20 with the default ports',
  why: "Agent and operator run on the host network and bind fixed ports. When another host-network pod of the node has one of them, the agent ends with 'address already in use' and starts again, for ever; which of the two wins can change at the next reboot.",
  references: ['cilium/cilium#36754', 'cilium/cilium#22465', 'deckhouse/deckhouse#20348'],
  foretell,
  signs: { occurrences: [] },
};

const PORTS: ReadonlyMap<number, string> = new Map([
  [4240, 'health checks'],
  [4244, 'Hubble'],
  [9234, "the operator's API"],
  [9879, "the agent's health"],
  [9890, "the agent's gops"],
  [9962, "the agent's metrics"],
  [9963, "the operator's metrics"],
  [9964, "Envoy's metrics"],
]);

function foretell(facts: ClusterFacts): Foretelling {
  const findings = templates(facts).flatMap((template) => describe(template));
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.workloads));
}

function describe(template: Template): readonly Finding[] {
  const { owner, spec } = template;
  if (owner.value.metadata.name.startsWith('cilium')) return [];
  const taken = containersOf(spec).flatMap(({ ports = [] }) =>
    ports.flatMap(({ containerPort, hostPort }) => {
      const port = spec.hostNetwork === true ? containerPort : hostPort;
      const use = port === undefined ? undefined : PORTS.get(port);
      return use === undefined ? [] : [`${port} (${use})`];
    }),
  );
  if (taken.length === 0) return [];
  const path = `${template.path}.containers`;
  return [
    finding(hazard, {
      certainty: 'likely',
      message: `${nameOf(owner.value)} takes ${listOf(taken)} on its nodes, which Cilium binds there by default. Whoever starts second fails with "bind: address already in use".`,
      evidence: [evidenceAt({ ...owner.source, path }, taken)],
      fix: {
        summary:
          "Move one of the two: give this workload another port, or set Cilium's (healthPort, operator and Hubble ports, prometheus.port) in the values.",
      },
    }),
  ];
}
