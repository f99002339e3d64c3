/** FM-40: single service switches beside a full kube-proxy replacement. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { CHART_VALUES, rowEffect } from '../../knowledge/cilium-chart/chart-values.ts';
import { chartTargets, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';
import { replacesKubeProxy } from '../target.ts';

export const hazard: Hazard = {
  id: 'service-flags-redundant',
  covers: ['FM-40'],
  title: 'A service switch that kube-proxy replacement implies',
  severity: 'low',
  holdsFor: 'Cilium charts 1.13 to 1.18; from the chart that drops it the value is ignored',
  why: 'A full replacement serves NodePorts, external IPs and host ports whatever their own values say, and the chart does not even pass these values on beside it. The values leave the chart one by one (externalIPs 1.17, hostPort 1.18, nodePort and sessionAffinity 1.19), so a file that carries them suggests a choice that is none.',
  references: [
    'charts:cilium/templates/cilium-configmap.yaml@1.16.5',
    'cilium:Documentation/operations/upgrade.rst@main',
  ],
  foretell,
  signs: { occurrences: [] },
};

const IMPLIED = ['nodePort.enabled', 'externalIPs.enabled', 'hostPort.enabled', 'sessionAffinity'];
const ROWS = CHART_VALUES.filter(({ path }) => IMPLIED.includes(path));

function foretell(facts: ClusterFacts): Foretelling {
  return judgedInPart(
    chartTargets(facts)
      .filter(({ target }) => replacesKubeProxy(target))
      .flatMap(judge),
    missingTargets(facts),
  );
}

function judge(chart: ChartTarget): readonly Finding[] {
  const { target } = chart;
  return ROWS.flatMap((row) => {
    const set = target.at(row.path);
    // Where the chart dropped it, chart-value-removed says so.
    const honoured = chart.versions.some((version) => rowEffect(row, version) === 'honoured');
    if (set === undefined || !honoured) return [];
    return [
      finding(hazard, {
        certainty: 'proven',
        title: `${row.path} is redundant beside kubeProxyReplacement, and gone from chart ${row.gone}`,
        message: `${row.path} is ${String(set.value)} beside kubeProxyReplacement: ${String(target.at('kubeProxyReplacement')?.value)}. A full replacement implies it and the chart leaves the value out; from chart ${row.gone} on it does not exist.`,
        evidence: [evidenceAt(set.source, set.value)],
        fix: { summary: `Remove ${row.path}.` },
      }),
    ];
  });
}
