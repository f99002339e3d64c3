/**
 * Charts: what regauge knows of the Cilium chart, proved by real Helm on the real charts, minor by
 * minor. Helm is right; a difference is a mistake of the model or of a hazard that relies on it.
 */
import { join } from 'node:path';
import { atLeast } from '../../../src/base/versions.ts';
import { CHART_VALUES } from '../../../src/knowledge/cilium-chart/chart-values.ts';
import type { Lane, Part } from '../lane.ts';
import { pinnedVersion } from '../api/software.ts';
import { buildModule } from '../go-tool.ts';
import type { Cache } from '../cache.ts';
import { agreement } from './agree.ts';
import { VALUE_CASES, type ValueCase, valuesOf } from './cases.ts';
import { proveGoneValues } from './gone-values.ts';
import { foretold } from './hazards.ts';
import { Helm, objectsOf, type RealChart, type Rendering, type Values } from './helm.ts';
import { obtainCharts } from './obtain.ts';
import { planCases } from './plans.ts';
import { randomCases } from './random-values.ts';

export const CHARTS: Part = {
  name: 'charts',
  about: "the model of the Cilium chart against real Helm and every minor's chart",
  run: proveCharts,
};

export function obtainHelm(cache: Cache): string {
  return builtHelm(cache, 'helm', 'helm.sh/helm/v3');
}

/** The next major, which applies on the server. */
export function obtainHelm4(cache: Cache): string {
  return builtHelm(cache, 'helm4', 'helm.sh/helm/v4');
}

function builtHelm(cache: Cache, name: string, module: string): string {
  const directory = cache.built(name, () =>
    buildModule(name, ['tool'], cache.fresh, {
      linker: `-X ${module}/internal/version.version=${pinnedVersion(name, module)}`,
    }),
  );
  return join(directory, 'helm');
}

async function proveCharts(lane: Lane): Promise<void> {
  const helm = new Helm(obtainHelm(lane.cache));
  const { minors, edges } = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const notModelled = new Map<string, Set<string>>();
  for (const chart of minors) {
    const cases = distinct([
      ...VALUE_CASES,
      ...planCases(chart.version),
      ...randomCases(lane.options.seed, lane.options.random),
    ]).filter(({ id, since = '1.14.0' }) => lane.wants(id) && atLeast(chart.version, since));
    await Promise.all(cases.map((one) => proveCase(lane, helm, chart, one, notModelled)));
  }
  await proveGoneValues(lane, helm, minors);
  await proveGoneValues(
    lane,
    helm,
    edges,
    CHART_VALUES.filter(({ failsSince }) => failsSince !== undefined),
  );
  tellNotModelled(lane, notModelled);
  lane.tell(`${helm.renderings} renderings by Helm ${pinnedVersion('helm', 'helm.sh/helm/v3')}`);
}

async function proveCase(
  lane: Lane,
  helm: Helm,
  chart: RealChart,
  one: ValueCase,
  notModelled: Map<string, Set<string>>,
): Promise<void> {
  await lane.check(`chart ${chart.version}: ${one.id}`, async () => {
    const values = valuesIn(one);
    const real = await helm.template(chart, values);
    const agreed = agreement(chart, values, real);
    for (const key of agreed.notModelled) {
      const charts = notModelled.get(key) ?? new Set();
      notModelled.set(key, charts.add(chart.version));
    }
    const differences = [
      ...agreed.differences,
      ...(one.hazard === undefined ? [] : hazardDifferences(one, chart, real)),
      ...(one.mustRender === true && !real.ok ? [`Helm refuses it: ${real.message}`] : []),
    ];
    if (differences.length > 0) throw new Error(differences.join('\n'));
  });
}

/** Plans for clusters of several kinds come to the same values more often than not. */
function distinct(cases: readonly ValueCase[]): readonly ValueCase[] {
  const seen = new Map(cases.map((one) => [JSON.stringify(valuesIn(one)), one]));
  return [...seen.values()];
}

function valuesIn(one: ValueCase): Values {
  return one.values ?? valuesOf(one.set);
}

/** A hazard speaks of a refusal, critical or high, where there is one; and nowhere else. */
function hazardDifferences(
  { hazard = '', set }: ValueCase,
  chart: RealChart,
  real: Rendering,
): readonly string[] {
  const findings = foretold(hazard, chart.version, valuesOf(set)).filter(({ severity }) =>
    ['critical', 'high'].includes(severity),
  );
  const speaks = findings.length > 0;
  // The server is the one to refuse it then (part `api`).
  const refused = !real.ok || agentAddsText(real);
  if (speaks === refused) return [];
  return [
    refused
      ? `${hazard} is silent, and the values are refused`
      : `${hazard} foretells a refusal, and Helm renders: ${findings.map(({ message }) => message).join(' ')}`,
  ];
}

/** Before there was a schema, capabilities written as one text reached the DaemonSet as such. */
function agentAddsText(real: Extract<Rendering, { ok: true }>): boolean {
  const objects = objectsOf(real.documents, (template) =>
    template.endsWith('cilium-agent/daemonset.yaml'),
  );
  return /"add":"/.test(JSON.stringify(objects));
}

function tellNotModelled(lane: Lane, found: ReadonlyMap<string, ReadonlySet<string>>): void {
  if (found.size === 0) return;
  lane.tell(`${found.size} keys of cilium-config that the model leaves out (--verbose lists them)`);
  if (!lane.options.verbose) return;
  for (const [key, charts] of [...found].toSorted()) {
    lane.tell(`  ${key} (${[...charts].join(', ')})`);
  }
}
