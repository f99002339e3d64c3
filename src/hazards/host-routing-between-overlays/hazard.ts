/** FM-11: BPF host routing in a migration: Cilium's pods do not find the way to the old network. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { chartTargets, effectiveOf, missingVersions, versionsWhere } from '../chart.ts';
import type { ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'host-routing-between-overlays',
  covers: ['FM-11'],
  title: "Pods on Cilium cannot reach pods of the old network past the host's routes",
  severity: 'critical',
  holdsFor: 'Cilium 1.13 to 1.20 beside another CNI; kernels from 5.10 on',
  why: "The two overlays meet in the routing tables of the hosts: a packet from a pod of Cilium to one of the old network takes the host's route over the old network's device. BPF host routing hands packets on without looking there. It switches itself on with a full kube-proxy replacement and masquerading in BPF, so during a migration the two halves of the cluster lose each other, cluster DNS included.",
  references: [
    'cilium:Documentation/installation/k8s-install-migration.rst@main',
    'truth:P05',
    'cilium/cilium#13330',
    'cilium/cilium#15148',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.old-network-bypassed'] },
};

const KEY = 'bpf.hostLegacyRouting';

function foretell(facts: ClusterFacts): Foretelling {
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  const { sourceCni } = facts;
  if (!sourceCni.known) return unjudged(MISSING.sourceCni);
  if (sourceCni.value === 'none' || sourceCni.value === 'cilium') return judged();
  return judgedInPart(
    chartTargets(facts).flatMap((chart) => describe(chart, sourceCni.value)),
    missingVersions(facts),
  );
}

function describe(chart: ChartTarget, source: string): readonly Finding[] {
  const hit = versionsWhere(chart, (version) => effectiveOf(chart, version).hostRoutingActive);
  if (hit === undefined) return [];
  const { target } = chart;
  const evidence = [KEY, 'bpf.masquerade', 'kubeProxyReplacement'].flatMap((path) => {
    const set = target.at(path);
    return set === undefined ? [] : [evidenceAt(set.source, set.value)];
  });
  return [
    finding(hazard, {
      certainty: hit.certainty,
      message: `These values switch BPF host routing on while pods of ${source} are still there. Packets from pods on Cilium to them do not pass the host's routes, which alone know the way: the moment the first pods move, they reach neither old pods nor a Service behind which only old pods stand, CoreDNS among them.`,
      evidence: evidence.length > 0 ? evidence : [evidenceAt(target.values.nearest(KEY))],
      fix: {
        summary:
          'Keep host routing in the stack until the last node is migrated; switch it off with the final values, if at all.',
        patch: 'bpf:\n  hostLegacyRouting: true\n',
      },
    }),
  ];
}
