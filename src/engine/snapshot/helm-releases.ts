/**
 * The Helm releases of the CNI in a snapshot: what `helm list` and `helm get values` print of them,
 * and the marks of their records without what the records hold. Records of other releases are not
 * asked for: the server is told the names.
 */
import { stringify } from 'yaml';
import { groupBy } from '../../base/group-by.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { DaemonSetObject, KubeObject } from '../../model/kubernetes.ts';
import type { NotRead, SnapshotRelease } from '../../model/snapshot.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import { readRecord, type ReleaseRecord } from './release-record.ts';
import type { SnapshotProgress, SnapshotSink } from './request.ts';

export interface ReleasesRequest {
  readonly kubernetes: Pick<KubernetesReads, 'pages'>;
  readonly sink: SnapshotSink;
  readonly onProgress?: (progress: SnapshotProgress) => void;
  readonly signal?: AbortSignal;
}

export interface ReleasesRead {
  readonly releases: readonly SnapshotRelease[];
  readonly notRead: readonly NotRead[];
}

const KNOWN_NAMES = [
  'cilium rke2-cilium flannel kube-flannel rke2-flannel canal rke2-canal calico projectcalico',
  'rke2-calico rke2-calico-crd tigera-operator calico-operator rke2-multus multus antrea',
  'kube-router kube-ovn weave-net',
].flatMap((line) => line.split(' '));
const CNI = /cilium|flannel|canal|calico|tigera|multus|antrea|kube-router|kube-ovn|weave/;
/** A record is up to 1 MiB. */
const RECORDS_AT_ONCE = 20;
const COMMAND = 'helm list -A -o json, and helm -n kube-system get values cilium';
const WHAT = 'Helm releases of the CNI';
const FATAL = new Set(['interrupted', 'unauthenticated', 'unreachable', 'untrusted']);

export async function readReleases(request: ReleasesRequest): Promise<ReleasesRead> {
  const found = new Map<string, Release>();
  const notRead: NotRead[] = [];
  try {
    const named = await namesOf(request);
    for (const kind of ['Secret', 'ConfigMap']) {
      notRead.push(...(await takeRecords(request, kind, named, found)));
    }
  } catch (error) {
    if (!(error instanceof RegaugeError) || FATAL.has(error.code)) throw error;
    return { releases: [], notRead: [{ what: WHAT, why: error.message, command: COMMAND }] };
  }
  const releases: SnapshotRelease[] = [];
  for (const release of [...found.values()].toSorted(byPlace)) {
    notRead.push(...release.gaps);
    releases.push(await writeValues(request.sink, release));
  }
  if (releases.length > 0) await writeLists(request.sink, [...found.values()].toSorted(byPlace));
  request.onProgress?.({ kind: 'Helm release', objects: releases.length, state: 'done' });
  return { releases, notRead };
}

interface Release {
  readonly name: string;
  readonly namespace: string;
  /** Without what they hold. */
  readonly marks: KubeObject[];
  readonly gaps: NotRead[];
  /** The revision that is deployed, else the last. */
  record?: ReleaseRecord;
}

function byPlace(left: Release, right: Release): number {
  return `${left.namespace}/${left.name}` < `${right.namespace}/${right.name}` ? -1 : 1;
}

interface Named {
  readonly names: readonly string[];
  /** Where releases of a CNI are to be expected, for those who may not ask everywhere. */
  readonly namespaces: readonly string[];
}

/** Names as charts are installed by most, and those that the CNI's DaemonSets say they are of. */
async function namesOf({ kubernetes, signal }: ReleasesRequest): Promise<Named> {
  const names = new Set(KNOWN_NAMES);
  const namespaces = new Set(['kube-system']);
  const options = signal === undefined ? {} : { signal };
  for await (const { items } of kubernetes.pages<DaemonSetObject>(
    'apps/v1',
    'DaemonSet',
    options,
  )) {
    for (const { metadata, spec } of items) {
      const images = spec.template.spec.containers.map(({ image }) => image ?? '');
      if (![metadata.name, ...images].some((text) => CNI.test(text))) continue;
      const release = metadata.annotations?.['meta.helm.sh/release-name'];
      const namespace = metadata.annotations?.['meta.helm.sh/release-namespace'];
      if (release !== undefined && /^[\w.-]+$/.test(release)) names.add(release);
      if (namespace !== undefined) namespaces.add(namespace);
      if (metadata.namespace !== undefined) namespaces.add(metadata.namespace);
    }
  }
  return { names: [...names].toSorted(), namespaces: [...namespaces].toSorted() };
}

/** Everywhere, or where that is not allowed, in the namespaces in question. */
async function takeRecords(
  request: ReleasesRequest,
  kind: string,
  { names, namespaces }: Named,
  found: Map<string, Release>,
): Promise<readonly NotRead[]> {
  const labelSelector = `owner=helm,status!=superseded,name in (${names.join(',')})`;
  try {
    await takePages(request, kind, { labelSelector }, found);
    return [];
  } catch (error) {
    if (!(error instanceof RegaugeError) || error.code !== 'forbidden') throw error;
  }
  const gaps: NotRead[] = [];
  for (const namespace of namespaces) {
    try {
      await takePages(request, kind, { labelSelector, namespace }, found);
    } catch (error) {
      if (!(error instanceof RegaugeError) || error.code !== 'forbidden') throw error;
      // Few keep releases in ConfigMaps, and that those could not be read is said already.
      if (kind === 'Secret')
        gaps.push({ what: `${WHAT} in ${namespace}`, why: error.message, command: COMMAND });
    }
  }
  return gaps;
}

async function takePages(
  { kubernetes, signal }: ReleasesRequest,
  kind: string,
  where: { readonly labelSelector: string; readonly namespace?: string },
  found: Map<string, Release>,
): Promise<void> {
  const options = { ...where, limit: RECORDS_AT_ONCE, ...(signal === undefined ? {} : { signal }) };
  for await (const { items } of kubernetes.pages('v1', kind, options)) {
    for (const item of items) takeRecord({ ...item, apiVersion: 'v1', kind }, found);
  }
}

function takeRecord(object: KubeObject, found: Map<string, Release>): void {
  const { name: own, namespace = '', labels = {} } = object.metadata;
  const name = labels['name'] ?? own;
  const key = `${namespace}/${name}`;
  const release = found.get(key) ?? { name, namespace, marks: [], gaps: [] };
  found.set(key, release);
  release.marks.push(marksOf(object));
  try {
    const record = readRecord(object);
    if (isBetter(record, release.record)) release.record = record;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const command = `helm -n ${namespace} get values ${name}`;
    const what = `the values of Helm release ${key}, revision ${labels['version'] ?? '?'}`;
    release.gaps.push({ what, why: `its record cannot be unpacked: ${why}`, command });
  }
}

function isBetter(record: ReleaseRecord, other: ReleaseRecord | undefined): boolean {
  if (other === undefined) return true;
  const [mine, its] = [record, other].map(({ status }) => status === 'deployed');
  return mine === its ? record.revision > other.revision : mine === true;
}

/** Whose record it is and how it stands; what it holds is left behind. */
function marksOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, labels, uid, creationTimestamp } = metadata;
  const told = { name, namespace, labels, uid, creationTimestamp };
  // Absent ones are left out by JSON.
  return { apiVersion, kind, metadata: told as KubeObject['metadata'] };
}

async function writeValues(sink: SnapshotSink, release: Release): Promise<SnapshotRelease> {
  const { name, namespace, record } = release;
  if (record === undefined) return { name, namespace };
  const { revision, status, chart, chartVersion, values } = record;
  const file = `helm/${safeName(namespace)}-${safeName(name)}.values.yaml`;
  await write(sink, file, printedValues(values));
  return { name, namespace, revision, status, chart: `${chart}-${chartVersion}`, values: file };
}

/** As `helm get values`: its first line tells that these are a release's, and not somebody's wish. */
function printedValues(values: unknown): string {
  const isEmpty = values !== null && typeof values === 'object' && Object.keys(values).length === 0;
  return isEmpty
    ? 'USER-SUPPLIED VALUES: {}\n'
    : `USER-SUPPLIED VALUES:\n${stringify(values, { lineWidth: 0 })}`;
}

async function writeLists(sink: SnapshotSink, releases: readonly Release[]): Promise<void> {
  const listed = releases.flatMap(({ record }) => (record === undefined ? [] : [lineOf(record)]));
  if (listed.length > 0) await write(sink, 'helm/releases.json', `${JSON.stringify(listed)}\n`);
  const byKind = groupBy(
    releases.flatMap(({ marks }) => marks),
    ({ kind }) => kind,
  );
  for (const [kind, items] of byKind) {
    // No typed list: it would tell that these are all of the kind that there are.
    const list = { apiVersion: 'v1', kind: 'List', items };
    const file = `helm/${kind === 'Secret' ? 'secrets' : 'configmaps'}.json`;
    await write(sink, file, `${JSON.stringify(list)}\n`);
  }
}

/** As `helm list -o json`. */
function lineOf(record: ReleaseRecord): object {
  const { name, namespace, revision, updated, status, chart, chartVersion, appVersion } = record;
  return {
    name,
    namespace,
    revision: String(revision),
    updated,
    status,
    chart: `${chart}-${chartVersion}`,
    app_version: appVersion,
  };
}

async function write(sink: SnapshotSink, name: string, text: string): Promise<void> {
  const part = await sink.begin(name);
  await part.write(Buffer.from(text, 'utf8'));
  await part.finish();
}

function safeName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '_');
}
