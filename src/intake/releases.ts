/**
 * Cilium's values and chart version where they are kept inside other documents: Flux HelmRelease,
 * Argo CD Application, the HelmChart objects of K3s and RKE2, Helm's own release record, Chart.yaml,
 * and the labels that a chart puts on what it installs.
 */
import { gunzipSync } from 'node:zlib';
import { normalVersion } from '../base/versions.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { isCiliumValues } from './cilium-values.ts';
import { isTable, textOf } from './intake.ts';
import type { Intake, ValuesRole, VersionHint } from './intake.ts';
import { jsonTree, subTree } from './text/json-tree.ts';
import { parseYaml } from './text/yaml-text.ts';
import type { TextTree } from './text/yaml-tree.ts';

type Path = readonly (string | number)[];

export function takeReleaseValues(intake: Intake, object: KubeObject, tree: TextTree): void {
  if (object.kind === 'HelmRelease') return takeHelmRelease(intake, tree);
  if (object.kind === 'Application') return takeApplication(intake, tree);
  if (object.kind === 'HelmChart' || object.kind === 'HelmChartConfig')
    return takeHelmChart(intake, object, tree);
  if (object.kind === 'Secret') return takeReleaseRecord(intake, object, tree);
  takeChartLabel(intake, object, tree);
}

/** helm.toolkit.fluxcd.io: `spec.chart.spec` and `spec.values`. */
function takeHelmRelease(intake: Intake, tree: TextTree): void {
  if (tree.at('spec.chart.spec.chart')?.value !== 'cilium') return;
  const version = hintAt(tree, ['spec', 'chart', 'spec', 'version'], 'target');
  takeValues(intake, subTree(tree, ['spec', 'values']), 'target', version);
}

/** argoproj.io: one source or several; values as an object or as text. */
function takeApplication(intake: Intake, tree: TextTree): void {
  const several = tree.at('spec.sources')?.value;
  const paths: readonly Path[] = Array.isArray(several)
    ? several.map((_source, index) => ['spec', 'sources', index])
    : [['spec', 'source']];
  for (const path of paths) {
    if (tree.at([...path, 'chart'])?.value !== 'cilium') continue;
    const version = hintAt(tree, [...path, 'targetRevision'], 'target');
    takeValues(intake, subTree(tree, [...path, 'helm', 'valuesObject']), 'target', version);
    takeText(intake, tree, [...path, 'helm', 'values'], version);
  }
}

/** helm.cattle.io: `rke2-cilium` and charts people install the same way. */
function takeHelmChart(intake: Intake, object: KubeObject, tree: TextTree): void {
  const chart = textOf(tree.at('spec.chart')?.value) ?? object.metadata.name;
  if (!/(^|[/-])cilium$/.test(chart)) return;
  takeText(intake, tree, ['spec', 'valuesContent'], hintAt(tree, ['spec', 'version'], 'target'));
}

function takeText(
  intake: Intake,
  tree: TextTree,
  path: Path,
  version: VersionHint | undefined,
): void {
  const text = tree.embedded(path);
  const values = text === undefined ? undefined : parseYaml(text);
  if (values !== undefined) takeValues(intake, values, 'target', version);
}

function takeValues(
  intake: Intake,
  tree: TextTree,
  role: ValuesRole,
  version: VersionHint | undefined,
): void {
  if (version !== undefined) intake.versions.push(version);
  if (isTable(tree.value)) intake.values.push({ tree, role, source: tree.source, version });
}

function hintAt(tree: TextTree, path: Path, role: ValuesRole): VersionHint | undefined {
  const located = tree.at(path);
  const version = typeof located?.value === 'string' ? exactVersion(located.value) : undefined;
  return located === undefined || version === undefined
    ? undefined
    : { version, source: located.source, role };
}

/** A range (`1.16.x`, `^1.16.0`) does not tell which version it will be. */
function exactVersion(text: string): string | undefined {
  return /^v?\d+\.\d+\.\d+([-+].*)?$/.test(text.trim()) ? normalVersion(text) : undefined;
}

/** `Chart.yaml` of a wrapper chart (`dependencies`), or of Cilium's own chart. */
export function takeChart(intake: Intake, tree: TextTree): boolean {
  const value = isTable(tree.value) ? tree.value : {};
  if (!/^v[12]$/.test(String(value['apiVersion'])) || 'kind' in value || !('name' in value))
    return false;
  if (value['name'] === 'cilium') pushHint(intake, hintAt(tree, ['version'], 'target'));
  const dependencies: unknown = value['dependencies'];
  for (const [index, dependency] of (Array.isArray(dependencies) ? dependencies : []).entries()) {
    if (!isTable(dependency) || dependency['name'] !== 'cilium') continue;
    pushHint(intake, hintAt(tree, ['dependencies', index, 'version'], 'target'));
  }
  return true;
}

/** `helm list -o json|yaml`: `chart: cilium-1.16.5`. */
export function takeHelmList(intake: Intake, tree: TextTree): boolean {
  if (!Array.isArray(tree.value) || tree.value.length === 0) return false;
  const releases: readonly unknown[] = tree.value;
  if (
    !releases.every((release) => isTable(release) && 'app_version' in release && 'chart' in release)
  )
    return false;
  for (const index of releases.keys()) pushHint(intake, chartHint(tree, [index, 'chart']));
  return true;
}

function chartHint(tree: TextTree, path: Path): VersionHint | undefined {
  const located = tree.at(path);
  const version = /^cilium-(\d.*)$/.exec(textOf(located?.value) ?? '')?.[1];
  return located === undefined || version === undefined
    ? undefined
    : { version, source: located.source, role: 'live' };
}

function pushHint(intake: Intake, hint: VersionHint | undefined): void {
  if (hint !== undefined) intake.versions.push(hint);
}

/** The label `helm.sh/chart: cilium-1.16.5` on an installed object. */
function takeChartLabel(intake: Intake, object: KubeObject, tree: TextTree): void {
  const label = object.metadata.labels?.['helm.sh/chart'];
  if (label === undefined || !label.startsWith('cilium-') || object.metadata.uid === undefined)
    return;
  pushHint(intake, chartHint(tree, ['metadata', 'labels', 'helm.sh/chart']));
}

const RECORD_MAX = 32 * 2 ** 20;

/** Helm's record: Secret of type `helm.sh/release.v1`, base64 of base64 of gzipped JSON. */
function takeReleaseRecord(intake: Intake, object: KubeObject, tree: TextTree): void {
  const labels = object.metadata.labels ?? {};
  if (labels['owner'] !== 'helm' || labels['status'] !== 'deployed') return;
  const record = decodeRecord(textOf(tree.at('data.release')?.value));
  if (record === undefined || record.chart !== 'cilium') return;
  const source = tree.at('data.release')?.source ?? tree.source;
  const version: VersionHint = { version: record.version, source, role: 'live' };
  const values = jsonTree({ file: source.file ?? '', start: 0 }, record.values);
  takeValues(
    intake,
    {
      ...values,
      source,
      value: values.value,
      at: (path) => values.at(path),
      keyOf: (path) => values.keyOf(path),
      nearest: (path) => values.nearest(path),
      embedded: (path) => values.embedded(path),
    },
    'live',
    version,
  );
}

interface ReleaseRecord {
  readonly chart: string;
  readonly version: string;
  readonly values: unknown;
}

function decodeRecord(data: string | undefined): ReleaseRecord | undefined {
  if (data === undefined) return undefined;
  try {
    const packed = Buffer.from(Buffer.from(data, 'base64').toString('latin1'), 'base64');
    const json: unknown = JSON.parse(
      gunzipSync(packed, { maxOutputLength: RECORD_MAX }).toString('utf8'),
    );
    const chart = isTable(json) && isTable(json['chart']) ? json['chart']['metadata'] : undefined;
    if (!isTable(json) || !isTable(chart)) return undefined;
    return {
      chart: String(chart['name']),
      version: String(chart['version']),
      values: json['config'] ?? {},
    };
  } catch {
    // Redacted or cut off: then the record says nothing, which is what undefined means.
    return undefined;
  }
}

/** Values of the Cilium chart at the root, or under the name of the dependency in a wrapper chart. */
export function ciliumValuesIn(tree: TextTree): TextTree | undefined {
  const { value } = tree;
  if (!isTable(value)) return undefined;
  if (isCiliumValues(value)) return tree;
  const inner = value['cilium'];
  return isTable(inner) && isCiliumValues(inner) ? subTree(tree, ['cilium']) : undefined;
}
