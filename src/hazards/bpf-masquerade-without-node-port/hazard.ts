/** FM-43: masquerading in BPF without the service handling it needs. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { atLeast } from '../../base/versions.ts';
import {
  chartTargets,
  effectiveOf,
  missingVersions,
  versionsWhere,
  type ChartTarget,
} from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';

export const hazard: Hazard = {
  id: 'bpf-masquerade-without-node-port',
  covers: ['FM-43'],
  title: 'bpf.masquerade without an effective kube-proxy replacement',
  severity: 'critical',
  holdsFor: 'Cilium 1.15 to 1.20; up to 1.14 the agent falls back to iptables',
  why: 'Masquerading in BPF is done by the programs that serve NodePorts. Those are there with a full kube-proxy replacement, or up to 1.18 with nodePort.enabled. Without them the agent refuses to start since 1.15.',
  references: [
    'cilium:Documentation/operations/upgrade.rst@v1.15.4',
    'cilium:daemon/cmd/daemon.go@v1.16.5',
  ],
  foretell,
  signs: { occurrences: ['cilium-agent.bpf-masquerade-refused'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  return judgedInPart(chartTargets(facts).flatMap(judge), missingVersions(facts));
}

function judge(chart: ChartTarget): readonly Finding[] {
  const { target } = chart;
  const masquerade = target.at('bpf.masquerade');
  if (masquerade === undefined) return [];
  const hit = versionsWhere(chart, (version) => {
    const settings = effectiveOf(chart, version);
    return settings.masquerade && settings.bpfMasquerade && !settings.nodePort;
  });
  if (hit === undefined) return [];
  const newest = hit.versions.at(-1) ?? '';
  const { accepted, text } = effectiveOf(chart, newest).kubeProxyReplacement;
  const starts = hit.versions.every((version) => !atLeast(version, '1.15.0'));
  const replacement = target.at('kubeProxyReplacement');
  return [
    finding(hazard, {
      severity: starts ? 'medium' : 'critical',
      certainty: hit.certainty,
      message: `bpf.masquerade is true, and ${accepted ? `kubeProxyReplacement is ${text}` : `kubeProxyReplacement: ${text} is nothing that ${chart.chart} accepts, so no replacement is in effect`}. ${outcome(starts)}`,
      evidence: [
        evidenceAt(masquerade.source, masquerade.value),
        ...(replacement === undefined ? [] : [evidenceAt(replacement.source, replacement.value)]),
      ],
      fix: {
        summary:
          'While kube-proxy stays, masquerade with iptables; switch to BPF in the phase that replaces kube-proxy.',
        patch: 'bpf:\n  masquerade: false\n',
      },
    }),
  ];
}

function outcome(starts: boolean): string {
  return starts
    ? 'The agent masquerades with iptables instead, and host routing stays off.'
    : 'The agent does not start: BPF masquerade requires NodePort (--enable-node-port="true").';
}
