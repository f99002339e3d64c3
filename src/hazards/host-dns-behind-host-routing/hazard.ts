/** FM-11: CoreDNS asks the node's own resolver, and BPF host routing never gets there. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { hostLocalFate, type HostLocalFate } from '../../knowledge/cilium-versions.ts';
import { HOST_DNS_ADDRESS } from '../../knowledge/talos-versions.ts';
import {
  chartTargets,
  effectiveOf,
  missingVersions,
  versionsWhere,
  type ChartTarget,
} from '../chart.ts';
import { finding, firstOf, judged, judgedInPart } from '../finding.ts';
import { isTalos, missingTalos, stated, statedEvidence } from '../talos.ts';

export const hazard: Hazard = {
  id: 'host-dns-behind-host-routing',
  covers: ['FM-11'],
  title: "Names outside the cluster: CoreDNS cannot reach the node's resolver",
  severity: 'critical',
  holdsFor:
    'Talos 1.7 to 1.14; Cilium in native routing up to 1.18.1, in tunnel mode 1.16.5 to 1.18.1; unproven from 1.18.2',
  why: "With forwardKubeDNSToHost CoreDNS forwards what is not of the cluster to 169.254.116.108 on the node's loopback. Cilium does not count that address as the host's; with BPF host routing the packet is looked up in the FIB, found to be local, and dropped. Host routing switches itself on with a full kube-proxy replacement and masquerading in BPF. Names of the cluster are answered by CoreDNS itself and go on working.",
  references: [
    'cilium/cilium#36761',
    'cilium/cilium#36737',
    'cilium/cilium#35098',
    'cilium/cilium#41241',
    'siderolabs/talos#10002',
    'talos:internal/app/machined/pkg/controllers/network/hostdns_config.go@v1.10.5',
  ],
  foretell,
  signs: { occurrences: ['dns.host-dns-unreachable'] },
};

const MISSING_FORWARDING = 'forwardKubeDNSToHost of the nodes (talosctl get machineconfig -o yaml)';

function foretell(facts: ClusterFacts): Foretelling {
  const missing = [
    ...(facts.targets.length === 0 ? missingVersions(facts) : []),
    ...missingTalos(facts),
  ];
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true) return judged();
  const routing = chartTargets(facts).filter((chart) =>
    versionsWhere(chart, (version) => effectiveOf(chart, version).hostRoutingActive),
  );
  if (routing.length === 0) return judged();
  const forwarding = forwardingOf(facts.machineConfigs);
  if (forwarding === undefined) {
    return judgedInPart([], [MISSING_FORWARDING, ...missingVersions(facts)]);
  }
  if (forwarding.length === 0) return judged();
  return judgedInPart(
    routing.flatMap((chart) => describe(chart, forwarding)),
    missingVersions(facts),
  );
}

/** Where it is on; undefined when no config says. A patch that switches it off is the cure. */
function forwardingOf(configs: readonly MachineConfigFacts[]): readonly Evidence[] | undefined {
  const told = configs.flatMap((config) => {
    const found = stated(config, 'forwardKubeDnsToHost');
    return found === undefined ? [] : [{ config, found }];
  });
  if (told.some(({ config, found }) => config.kind === 'patch' && found.value === false)) return [];
  const whole = configs.filter(({ kind }) => kind === 'config');
  if (told.length === 0) return whole.length === 0 ? undefined : [];
  return told.filter(({ found }) => found.value === true).map(({ found }) => statedEvidence(found));
}

const SEVERITY = { dropped: 'critical', unproven: 'medium', stack: 'low' } as const;

function describe(chart: ChartTarget, forwarding: readonly Evidence[]): readonly Finding[] {
  const { target } = chart;
  const fates = chart.versions
    .filter((version) => effectiveOf(chart, version).hostRoutingActive)
    .map((version) => hostLocalFate(version, effectiveOf(chart, version).routingMode));
  const worst = (['dropped', 'unproven', 'stack'] as const).find((fate) => fates.includes(fate));
  if (worst === undefined) return [];
  const keys = ['bpf.masquerade', 'kubeProxyReplacement'].flatMap((path) => {
    const set = target.at(path);
    return set === undefined ? [] : [evidenceAt(set.source, set.value)];
  });
  return [
    finding(hazard, {
      severity: SEVERITY[worst],
      certainty: chart.versionKnown && worst !== 'unproven' ? 'proven' : 'possible',
      message: `These values switch BPF host routing on, and CoreDNS forwards to ${HOST_DNS_ADDRESS} on its node. ${OUTCOME[worst]}`,
      evidence: firstOf([
        ...(keys.length > 0 ? keys : [evidenceAt(target.values.nearest('bpf.masquerade'))]),
        ...forwarding,
      ]),
      fix: {
        summary:
          'Keep host routing in the stack (bpf.hostLegacyRouting), which also KubeSpan needs; or switch forwarding off in the machine config and restart CoreDNS.',
        patch: 'bpf:\n  hostLegacyRouting: true\n',
      },
    }),
  ];
}

const OUTCOME: Readonly<Record<HostLocalFate, string>> = {
  dropped:
    'Every packet to it is dropped (FIB lookup failed): names outside the cluster time out, those of the cluster resolve.',
  unproven:
    "From 1.18.2 the code hands such packets to the host's stack, but Cilium's own guide still says it does not work, and nobody measured it on Talos.",
  stack:
    'In tunnel mode this version takes the stack by accident; from 1.16.5 and 1.17.0 on the packets are dropped, so an upgrade breaks it.',
};
