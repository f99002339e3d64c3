/** FM-30: Calico takes the first address it finds, and finds the new CNI's. */
import type { ClusterFacts } from '../../model/facts.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { evidenceIn, finding, judgedInPart, MISSING, missingUnlessLive } from '../finding.ts';
import { nameOf, runsImage } from '../objects.ts';

export const hazard: Hazard = {
  id: 'calico-address-detection',
  covers: ['FM-30'],
  title: "Calico takes the new CNI's address for its node's",
  severity: 'critical',
  holdsFor: 'Calico as the source with first-found address detection',
  why: 'Calico asks for its node address again while it runs. With the method first-found it can take cilium_host, which appears with the first Cilium agent: its overlay and its BGP sessions then use an address no peer routes to, on every node within minutes.',
  references: ['cilium/cilium#31273', 'cilium/cilium#27666', 'projectcalico/calico#6910'],
  foretell,
  signs: { occurrences: [] },
};

const METHOD = 'IP_AUTODETECTION_METHOD';

function foretell(facts: ClusterFacts): Foretelling {
  const agents = facts.workloads.daemonSets.filter(({ value }) =>
    value.spec.template.spec.containers.some(({ name }) => name === 'calico-node'),
  );
  const findings = agents
    .filter(({ value }) => runsImage(value.spec.template.spec, 'node', 'mirrored-calico-node'))
    .flatMap((agent) => {
      const containers = agent.value.spec.template.spec.containers;
      const index = containers.findIndex(({ name }) => name === 'calico-node');
      const env = containers[index]?.env ?? [];
      // `IP` unset or none: Calico does policy only (Canal) and needs no address.
      const ip = env.find(({ name }) => name === 'IP')?.value;
      const method = env.find(({ name }) => name === METHOD)?.value ?? 'first-found';
      if (ip !== 'autodetect' || method !== 'first-found') return [];
      return [
        finding(hazard, {
          certainty: 'proven',
          message: `${nameOf(agent.value)} detects its node's address with the method first-found. When Cilium's agent adds cilium_host, Calico can take that address for the node's, and its overlay and BGP sessions break on all nodes that got an agent.`,
          evidence: [
            evidenceIn(facts, agent, ['spec', 'template', 'spec', 'containers', index, 'env']),
          ],
          fix: {
            summary: 'Pin the method before anything of Cilium is installed.',
            command: `kubectl -n ${agent.value.metadata.namespace ?? 'kube-system'} set env daemonset/${agent.value.metadata.name} ${METHOD}=kubernetes-internal-ip`,
          },
        }),
      ];
    });
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.workloads));
}
