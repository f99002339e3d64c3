/** Values that the chart of this version ignores or refuses: one hazard over a table. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import {
  CHART_VALUES,
  DEPRECATED_VALUES,
  GONE_IPAM_MODES,
  rowEffect,
  type ChartValueRow,
} from '../../knowledge/cilium-chart/chart-values.ts';
import { atLeast } from '../../base/versions.ts';
import { isTruthy } from '../../knowledge/cilium-chart/values.ts';
import { chartTargets, missingVersions, versionsWhere, type ChartTarget } from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';

export const hazard: Hazard = {
  id: 'chart-value-removed',
  covers: ['FM-27', 'FM-39', 'FM-40'],
  title: 'A value that this chart version does not know any more',
  severity: 'medium',
  holdsFor: 'Cilium charts 1.14 to 1.20',
  why: 'The chart drops values from minor to minor. Some make a template fail with a message, which stops an installation or upgrade half way through a plan; most are ignored without a word, since the schema forbids no unknown keys, and the cluster runs with a default that nobody chose.',
  references: [
    'cilium:Documentation/operations/upgrade.rst@v1.16.5',
    'charts:cilium/templates/validate.yaml@1.16.5',
    'cilium/cilium#34213',
    'cilium/cilium#34229',
  ],
  foretell,
  signs: { occurrences: ['helm.removed-value-refused'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const targets = chartTargets(facts);
  const findings = targets.flatMap((chart) => [
    ...CHART_VALUES.flatMap((row) => removedValue(chart, row)),
    ...GONE_IPAM_MODES.flatMap((row) => goneMode(chart, row)),
    ...DEPRECATED_VALUES.flatMap((row) => deprecated(chart, row)),
  ]);
  return judgedInPart(findings, missingVersions(facts));
}

function removedValue(chart: ChartTarget, row: ChartValueRow): readonly Finding[] {
  const { target } = chart;
  const set = target.at(row.path);
  if (set === undefined) return [];
  const refused = versionsWhere(
    chart,
    (version) =>
      rowEffect(row, version) === 'template-fail' &&
      (row.whenTruthy !== true || isTruthy(set.value)),
  );
  const ignored = versionsWhere(chart, (version) => rowEffect(row, version) === 'ignored');
  const hit = refused ?? ignored;
  if (hit === undefined) return [];
  const evidence = [evidenceAt(target.values.keyOf(row.path) ?? set.source, set.value)];
  const effect =
    refused === undefined
      ? `It has no effect since chart ${row.gone} and nothing says so.`
      : `It fails the rendering: "${row.message ?? ''}"`;
  return [
    finding(hazard, {
      severity: refused === undefined ? 'medium' : 'high',
      certainty: hit.certainty,
      title: `${row.path} is gone from chart ${row.gone}`,
      message: [`${row.path} is set, and ${subject(chart)}.`, effect, row.note]
        .filter((part) => part !== undefined)
        .join(' '),
      evidence,
      fix: { summary: replacement(row) },
    }),
  ];
}

function subject({ versionKnown, chart }: ChartTarget): string {
  return versionKnown ? `${chart} does not know it` : 'some charts do not know it';
}

function replacement(row: ChartValueRow): string {
  return row.replacement === null
    ? `Remove ${row.path}${row.note === undefined ? '' : ` (${row.note.replace(/\.$/, '')})`}.`
    : `Write ${row.replacement} instead.`;
}

function goneMode(chart: ChartTarget, row: (typeof GONE_IPAM_MODES)[number]): readonly Finding[] {
  const mode = chart.target.at('ipam.mode');
  const hit = versionsWhere(chart, (version) => atLeast(version, row.gone));
  if (mode?.value !== row.mode || hit === undefined) return [];
  return [
    finding(hazard, {
      severity: 'high',
      certainty: hit.certainty,
      title: `ipam.mode ${row.mode} is gone from ${row.gone}`,
      message: `The agent does not know the IPAM mode ${row.mode} since ${row.gone} and does not start with it.`,
      evidence: [evidenceAt(mode.source, mode.value)],
      fix: { summary: `Use ${row.replacement}.` },
    }),
  ];
}

function deprecated(
  chart: ChartTarget,
  row: (typeof DEPRECATED_VALUES)[number],
): readonly Finding[] {
  const set = chart.target.at(row.path);
  const hit = versionsWhere(chart, (version) => atLeast(version, row.deprecated));
  if (set === undefined || !chart.versionKnown || hit === undefined) return [];
  return [
    finding(hazard, {
      severity: 'info',
      certainty: hit.certainty,
      title: `${row.path} is deprecated since ${row.deprecated}`,
      message: `${row.path} still works with ${chart.chart}; a later chart drops it.`,
      evidence: [evidenceAt(chart.target.values.keyOf(row.path) ?? set.source, set.value)],
      fix: { summary: `Use ${row.replacement}.` },
    }),
  ];
}
