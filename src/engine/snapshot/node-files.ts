/**
 * The nodes' part of a snapshot: what each holds, in files of the form that its system's own tools
 * print, redacted. What several nodes could not tell for one reason is one gap.
 */
import { stringify } from 'yaml';
import { groupBy } from '../../base/group-by.ts';
import { redactText } from '../../base/redaction.ts';
import { RegaugeError } from '../../base/errors.ts';
import { MACHINE_CONFIG } from '../../knowledge/talos-resources.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { NodeSnapshot, NotRead, SnapshotEtcdMember } from '../../model/snapshot.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import type {
  ContentsGap,
  NodeContents,
  NodeContentsPort,
  NodePlace,
} from '../../ports/node-contents.ts';
import { redactMachineConfig } from './redact-machine-config.ts';
import type { SnapshotProgress, SnapshotSink } from './request.ts';

export interface NodeFilesRequest {
  readonly kubernetes: Pick<KubernetesReads, 'get' | 'pages'>;
  readonly contents: NodeContentsPort;
  readonly sink: SnapshotSink;
  /** Names or addresses; all nodes when absent. */
  readonly only?: readonly string[];
  readonly onProgress?: (progress: SnapshotProgress) => void;
  readonly signal?: AbortSignal;
}

export interface NodeFilesRead {
  readonly nodes: readonly NodeSnapshot[];
  readonly etcd?: readonly SnapshotEtcdMember[];
  readonly notRead: readonly NotRead[];
}

/** Machines asked at the same time. */
const AT_ONCE = 4;
const NAMED_MAX = 3;
/** More names than this are looked for in one list. */
const ASKED_BY_NAME_MAX = 10;

export async function readNodeFiles(request: NodeFilesRequest): Promise<NodeFilesRead> {
  if (request.only?.length === 0) return { nodes: [], notRead: [] };
  const places = await placesOf(request);
  const waiting = [...places];
  const nodes: NodeSnapshot[] = [];
  const gaps: NodeGap[] = [];
  const worker = async (): Promise<void> => {
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      interruptIf(request.signal);
      const contents = await request.contents.of(place);
      const written = await writeNode(request.sink, place, contents);
      nodes.push(written.node);
      for (const gap of [...contents.gaps, ...written.gaps]) gaps.push({ node: place.name, gap });
      request.onProgress?.({ kind: 'node files', objects: nodes.length, state: 'reading' });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } catch (error) {
    if (!(error instanceof RegaugeError) || FATAL.has(error.code)) throw error;
    request.onProgress?.({ kind: 'node files', objects: nodes.length, state: 'failed' });
    return { nodes: [], notRead: [nothingRead(error)] };
  }
  request.onProgress?.({ kind: 'node files', objects: nodes.length, state: 'done' });
  const etcd = await etcdOf(request.contents);
  return {
    nodes: nodes.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    notRead: [...together(gaps, places.length), ...etcd.notRead],
    ...(etcd.members === undefined ? {} : { etcd: etcd.members }),
  };
}

/** What ends the whole snapshot: the person, and a disk that takes no more. */
const FATAL = new Set(['interrupted', 'bad-input']);

function interruptIf(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new RegaugeError('interrupted', 'the snapshot was interrupted');
}

function nothingRead({ message, hint }: RegaugeError): NotRead {
  return {
    what: 'the files of the nodes',
    why: hint === undefined ? message : `${message} (${hint})`,
    command: 'talosctl -n <node> get machineconfig v1alpha1 -o yaml',
  };
}

async function placesOf(request: NodeFilesRequest): Promise<readonly NodePlace[]> {
  return (await placesByName(request)) ?? (await placesInList(request));
}

/** Without a list of all nodes, where names alone were given; undefined where one of them is none. */
async function placesByName({
  kubernetes,
  only = [],
  signal,
}: NodeFilesRequest): Promise<readonly NodePlace[] | undefined> {
  if (only.length === 0 || only.length > ASKED_BY_NAME_MAX) return undefined;
  const places: NodePlace[] = [];
  for (const name of new Set(only)) {
    const address = { apiVersion: 'v1', kind: 'Node', name };
    const node = await kubernetes.get<NodeObject>(address, signal === undefined ? {} : { signal });
    if (node === undefined) return undefined;
    places.push(placeOf(node));
  }
  return places;
}

async function placesInList(request: NodeFilesRequest): Promise<readonly NodePlace[]> {
  const places: NodePlace[] = [];
  const options = request.signal === undefined ? {} : { signal: request.signal };
  for await (const page of request.kubernetes.pages<NodeObject>('v1', 'Node', options)) {
    if (page.restarted === true) places.length = 0;
    places.push(...page.items.map(placeOf));
  }
  const { only } = request;
  if (only === undefined) return places;
  const unknown = only.find((each) => !places.some((place) => isCalled(place, each)));
  if (unknown !== undefined) {
    throw new RegaugeError('not-found', `the cluster has no node "${unknown}"`, {
      hint: `It has: ${places.map(({ name }) => name).join(', ')}`,
    });
  }
  return places.filter((place) => only.some((each) => isCalled(place, each)));
}

function placeOf({ metadata, status }: NodeObject): NodePlace {
  const internal = status.addresses?.find(({ type }) => type === 'InternalIP');
  return { name: metadata.name, address: internal?.address ?? '' };
}

function isCalled({ name, address }: NodePlace, text: string): boolean {
  return name === text || address === text;
}

async function writeNode(
  sink: SnapshotSink,
  { name, address }: NodePlace,
  contents: NodeContents,
): Promise<{ readonly node: NodeSnapshot; readonly gaps: readonly ContentsGap[] }> {
  const directory = `nodes/${safeName(name)}`;
  const files: string[] = [];
  const gaps: ContentsGap[] = [];
  const write = async (path: string, text: string): Promise<void> => {
    const part = await sink.begin(`${directory}/${path}`);
    await part.write(Buffer.from(text, 'utf8'));
    await part.finish();
    files.push(path);
  };
  const { machineConfig, listings, resources, system } = contents;
  if (machineConfig !== undefined) {
    const spec = redactMachineConfig(machineConfig);
    if (spec !== undefined) await write('machineconfig.yaml', printedConfig(address, spec));
    else gaps.push(NO_YAML);
  }
  for (const { directory: listed, command, text } of listings) {
    await write(`${listed.slice(1).replaceAll('/', '-')}.txt`, `# ${command}\n${text}`);
  }
  for (const { path, text } of contents.files) await write(safePath(path), redactText(text));
  if (resources.length > 0) await write('resources.yaml', redactText(resources.join('---\n')));
  const told = system === undefined ? {} : { system };
  return { node: { name, files: files.toSorted(), ...told }, gaps };
}

const NO_YAML: ContentsGap = {
  what: 'the machine config',
  why: 'it is no YAML that could be redacted',
  command: 'talosctl -n <node> get machineconfig v1alpha1 -o yaml',
};

/** As `talosctl get machineconfig v1alpha1 -o yaml` from Talos 1.12 on. */
function printedConfig(node: string, spec: string): string {
  const { namespace, type, id } = MACHINE_CONFIG;
  const metadata = { namespace, type, id, phase: 'running' };
  return stringify({ node, metadata, spec }, { lineWidth: 0 });
}

/** Names come from a cluster, and none leads out of the directory. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^\w.-]/g, '_');
  return /^\.*$/.test(safe) ? '_' : safe;
}

function safePath(path: string): string {
  return path.split('/').filter(Boolean).map(safeName).join('/');
}

interface NodeGap {
  readonly node: string;
  readonly gap: ContentsGap;
}

/** One for what several nodes miss for the same reason. */
function together(gaps: readonly NodeGap[], count: number): readonly NotRead[] {
  const alike = groupBy(gaps, ({ gap: { what, why } }) => `${what}\n${why}`);
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const names = [...new Set(same.map(({ node }) => node))].toSorted();
    const more = names.length - NAMED_MAX;
    const shown = names.slice(0, NAMED_MAX).join(', ');
    const of =
      names.length === count && count > 1
        ? `all ${count} nodes`
        : more > 0
          ? `${shown} and ${more} more`
          : shown;
    const { what, why, command } = first.gap;
    return [{ what: `${what} of ${of}`, why, command }];
  });
}

async function etcdOf(contents: NodeContentsPort): Promise<{
  readonly members?: readonly SnapshotEtcdMember[];
  readonly notRead: readonly NotRead[];
}> {
  if (contents.etcd === undefined) return { notRead: [] };
  try {
    const members = await contents.etcd();
    return {
      members: members.map(({ hostname, peerUrls, learner }) => ({ hostname, peerUrls, learner })),
      notRead: [],
    };
  } catch (error) {
    if (!(error instanceof RegaugeError)) throw error;
    const command = 'talosctl -n <control plane> etcd members';
    return { notRead: [{ what: 'the members of etcd', why: error.message, command }] };
  }
}
