/**
 * Targets as the chart's model sees them. A chart version that was not read is not guessed: a rule is
 * then put to one chart of every minor, and holds for all, for some or for none of them.
 */
import type { ClusterFacts, TargetFacts } from '../model/facts.ts';
import type { Certainty } from '../model/finding.ts';
import { effectiveCilium, type EffectiveCilium } from '../knowledge/cilium-chart/effective.ts';
import { isTable, type ChartValues } from '../knowledge/cilium-chart/values.ts';
import { MISSING } from './finding.ts';

/** One chart per minor, and both sides of changes inside a minor. */
const CHARTS = [
  '1.13.18',
  '1.14.19',
  '1.15.19',
  '1.16.5',
  '1.16.19',
  '1.17.18',
  '1.18.12',
  '1.19.6',
  '1.20.0',
];

export interface ChartTarget {
  readonly target: TargetFacts;
  readonly values: ChartValues;
  /** The chart's version, or one of each minor when it is unknown. */
  readonly versions: readonly string[];
  readonly versionKnown: boolean;
  /** `chart 1.16.5`, or `the chart (version unknown)`. */
  readonly chart: string;
}

export function chartTargets(facts: ClusterFacts): readonly ChartTarget[] {
  return facts.targets.map(chartTarget);
}

function chartTarget(target: TargetFacts): ChartTarget {
  const { chartVersion, values } = target;
  const known = chartVersion.known;
  return {
    target,
    values: isTable(values.value) ? values.value : {},
    versions: known ? [chartVersion.value.replace(/^v/, '')] : CHARTS,
    versionKnown: known,
    chart: known ? `chart ${chartVersion.value.replace(/^v/, '')}` : 'the chart',
  };
}

/** The versions for which something holds; undefined when it holds for none. */
export function versionsWhere(
  { versions, versionKnown }: ChartTarget,
  holds: (version: string) => boolean,
): { readonly versions: readonly string[]; readonly certainty: Certainty } | undefined {
  const matching = versions.filter((version) => holds(version));
  if (matching.length === 0) return undefined;
  const always = versionKnown || matching.length === versions.length;
  return { versions: matching, certainty: always ? 'proven' : 'possible' };
}

/** Effective settings for each version in question, the last one the newest. */
export function effectiveOf(chart: ChartTarget, version: string): EffectiveCilium {
  return effectiveCilium(version, chart.values);
}

/** What is missing for a rule that needs values, and what for one that needs the version too. */
export function missingTargets(facts: ClusterFacts): readonly string[] {
  return facts.targets.length === 0 ? [MISSING.targetValues] : [];
}

export function missingVersions(facts: ClusterFacts): readonly string[] {
  return [
    ...missingTargets(facts),
    ...facts.targets.flatMap(({ chartVersion, source }) =>
      chartVersion.known
        ? []
        : [`chart version of ${source.file ?? 'the values'} (--cilium-version 1.x.y)`],
    ),
  ];
}
