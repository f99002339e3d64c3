/** FM-36: the chart does not render these values, for a reason that has no hazard of its own. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { atLeast } from '../../base/versions.ts';
import { CHART_VALUES } from '../../knowledge/cilium-chart/chart-values.ts';
import { chartProblems } from '../../knowledge/cilium-chart/render.ts';
import { schemaTypesOf } from '../../knowledge/cilium-chart/schema.ts';
import { isTable } from '../../knowledge/cilium-chart/values.ts';
import { chartTargets, missingVersions, versionsWhere, type ChartTarget } from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';

export const hazard: Hazard = {
  id: 'chart-refuses-values',
  covers: ['FM-36'],
  title: 'The chart does not render these values',
  severity: 'high',
  holdsFor: 'Cilium charts 1.13 to 1.20; types are checked from 1.16 on',
  why: 'Helm checks values against the chart\'s schema (since 1.16) and then renders its templates, which fail on combinations they do not know. Either way nothing is installed, and an upgrade in the middle of a plan stops there. Before 1.16 a wrong type passes: a quoted "false" is a text, and a template takes any text for true. Helm reads YAML 1.1, so a bare yes, no, on or off is a boolean, and a bare 1.20 a number.',
  references: [
    'charts:cilium/values.schema.json@1.16.5',
    'charts:cilium/templates/validate.yaml@1.18.12',
    'helm.sh/helm/v3:pkg/chartutil/jsonschema.go',
  ],
  foretell,
  signs: { occurrences: ['helm.value-refused'] },
};

/** Told by hazards of their own. */
const ELSEWHERE = new Set(['kubeProxyReplacement', ...CHART_VALUES.map(({ path }) => path)]);
const ELSEWHERE_BELOW = 'securityContext.capabilities.';
/** The schema of the first chart that has one tells what earlier templates take for a boolean. */
const FIRST_SCHEMA = '1.16.5';

function foretell(facts: ClusterFacts): Foretelling {
  const findings = chartTargets(facts).flatMap((chart) => [
    ...refused(chart),
    ...quotedBooleans(chart),
  ]);
  return judgedInPart(findings, missingVersions(facts));
}

function refused(chart: ChartTarget): readonly Finding[] {
  const { target, values } = chart;
  const newest = chart.versions.at(-1) ?? '';
  return chartProblems(newest, values)
    .filter(({ path }) => !ELSEWHERE.has(path) && !path.startsWith(ELSEWHERE_BELOW))
    .flatMap((problem) => {
      const hit = versionsWhere(chart, (version) =>
        chartProblems(version, values).some(
          ({ path, message }) => path === problem.path && message === problem.message,
        ),
      );
      if (hit === undefined) return [];
      const set = target.at(problem.path);
      return [
        finding(hazard, {
          certainty: hit.certainty,
          message: `${problem.path}: ${problem.message.trim()}. ${problem.kind === 'schema' ? "Helm refuses the values by the chart's schema" : "The chart's template fails"}, and nothing is installed.`,
          evidence: [evidenceAt(set?.source ?? target.values.nearest(problem.path), set?.value)],
          fix: { summary: cure(problem.kind, problem.path, newest) },
        }),
      ];
    });
}

function cure(kind: 'schema' | 'template', path: string, version: string): string {
  if (kind === 'template') return `Change ${path} as the message says.`;
  const types = schemaTypesOf(version, path) ?? [];
  return `Write ${path} as ${types.join(' or ')}${types.includes('boolean') ? ', without quotes' : ''}.`;
}

/** `"false"` where a boolean is meant: true to every template of charts without a schema. */
function quotedBooleans(chart: ChartTarget): readonly Finding[] {
  const hit = versionsWhere(chart, (version) => !atLeast(version, '1.16.0'));
  if (hit === undefined || !chart.versionKnown) return [];
  return textsIn(chart.values, '').flatMap(({ path, text }) => {
    const types = schemaTypesOf(FIRST_SCHEMA, path);
    const boolean = types !== undefined && types.includes('boolean') && !types.includes('string');
    if (!boolean || !/^(false|no|off)$/i.test(text)) return [];
    const set = chart.target.at(path);
    return [
      finding(hazard, {
        severity: 'medium',
        certainty: 'proven',
        title: 'A quoted "false" that the chart takes for true',
        message: `${path} is the text ${JSON.stringify(text)}. ${chart.chart} has no schema to refuse it, and where its templates ask "if" a text is true.`,
        evidence: [evidenceAt(set?.source ?? chart.target.source, text)],
        fix: { summary: `Write ${path} without quotes.` },
      }),
    ];
  });
}

function textsIn(value: unknown, path: string): readonly { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (!isTable(value)) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    textsIn(child, path === '' ? key : `${path}.${key}`),
  );
}
