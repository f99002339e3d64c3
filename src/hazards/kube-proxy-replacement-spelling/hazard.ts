/** FM-06, FM-22: `kubeProxyReplacement` in a spelling the chart does not take. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { atLeast } from '../../base/versions.ts';
import { acceptedReplacements } from '../../knowledge/cilium-chart/template-failures.ts';
import { showValue } from '../../knowledge/cilium-chart/values.ts';
import { chartTargets, missingVersions, versionsWhere, type ChartTarget } from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';

export const hazard: Hazard = {
  id: 'kube-proxy-replacement-spelling',
  covers: ['FM-06', 'FM-22'],
  title: 'kubeProxyReplacement in a spelling that this chart refuses',
  severity: 'critical',
  holdsFor: 'Cilium charts 1.13 to 1.20',
  why: 'Up to 1.13 the chart takes disabled, partial and strict; 1.14 and 1.15 take these as deprecated beside true and false; from 1.16 only true and false render. A refused value stops the whole rendering, so nothing of the file is installed; put straight into the ConfigMap it stops the agent.',
  references: [
    'charts:cilium/templates/cilium-configmap.yaml@1.16.5',
    'cilium:daemon/cmd/kube_proxy_replacement.go@v1.16.5',
    'cilium/cilium@6a83269beec1',
  ],
  foretell,
  signs: {
    occurrences: ['helm.replacement-value-refused', 'cilium-agent.replacement-value-refused'],
  },
};

const KEY = 'kubeProxyReplacement';

function foretell(facts: ClusterFacts): Foretelling {
  return judgedInPart(chartTargets(facts).flatMap(judge), missingVersions(facts));
}

function judge(chart: ChartTarget): readonly Finding[] {
  const set = chart.target.at(KEY);
  if (set === undefined) return [];
  const text = showValue(set.value);
  const refused = versionsWhere(chart, (version) => !acceptedReplacements(version).includes(text));
  const evidence = [evidenceAt(set.source, set.value)];
  if (refused !== undefined) {
    return [
      finding(hazard, {
        severity: refused.certainty === 'proven' ? 'critical' : 'high',
        certainty: refused.certainty,
        message: `${KEY} is ${text}. ${refusal(chart, refused.versions)} Nothing of these values is installed, kube-proxy's replacement included.`,
        evidence,
        fix: { summary: meaning(text), patch: `${KEY}: ${wanted(text)}\n` },
      }),
    ];
  }
  const old = !['true', 'false'].includes(text);
  if (!old || !versionsWhere(chart, (version) => atLeast(version, '1.14.0'))) return [];
  return [
    finding(hazard, {
      severity: 'low',
      certainty: 'proven',
      title: 'kubeProxyReplacement in a deprecated spelling',
      message: `${chart.chart} still takes ${KEY}: ${text}; chart 1.16 and later refuse to render it.`,
      evidence,
      fix: { summary: meaning(text), patch: `${KEY}: ${wanted(text)}\n` },
    }),
  ];
}

function refusal(chart: ChartTarget, versions: readonly string[]): string {
  const newest = versions.at(-1) ?? '';
  if (!chart.versionKnown) return 'Charts from 1.16 on accept only true and false.';
  const words = acceptedReplacements(newest).slice(0, atLeast(newest, '1.16.0') ? 2 : 5);
  return `${chart.chart} accepts ${words.join(', ')} and refuses to render anything else.`;
}

function wanted(text: string): boolean {
  return text === 'strict' || text === 'true';
}

function meaning(text: string): string {
  return wanted(text)
    ? 'Write true for what strict meant. During a CNI migration keep it false and kube-proxy in place, and replace kube-proxy as a phase of its own once every node is on Cilium.'
    : 'Write false; single services are chosen by their own values up to 1.18.';
}
