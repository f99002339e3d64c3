/**
 * CNI conf directories as they were listed and read, and which file of one a runtime takes.
 * truth: A, B, C, D cases; talos-and-cni-selection 3.1 and 3.2.
 */
import type { Source } from '../base/source.ts';
import type { CniConfInput } from '../model/cluster-input.ts';
import { valueOr } from '../model/fact.ts';
import type { ClusterFacts, CniName, NodeFacts } from '../model/facts.ts';
import { parseCniFile } from '../knowledge/cni-conf.ts';
import type { CniPlugin } from '../knowledge/cni-conf.ts';
import { runtimeTraits } from '../knowledge/cni-runtimes.ts';
import type { RuntimeKind } from '../knowledge/cni-runtimes.ts';
import { confCandidates } from '../knowledge/cni-selection.ts';
import { isJsonObject, structField } from '../knowledge/go-json.ts';
import type { JsonValue } from '../knowledge/go-json.ts';

export interface NodeRuntime {
  readonly name: RuntimeKind;
  readonly version: string;
}

export interface ConfDirectory {
  /** Undefined where the files came without a node. */
  readonly node: string | undefined;
  readonly directory: string;
  readonly source: Source;
  /** Files that a runtime considers, in its order: the first decides on containerd. */
  readonly candidates: readonly string[];
  readonly texts: ReadonlyMap<string, CniConfInput>;
}

export type ConfReading =
  | { readonly ok: true; readonly plugins: readonly ConfPlugin[] }
  /** libcni's own words. */
  | { readonly ok: false; readonly error: string };

export interface ConfPlugin {
  readonly type: string;
  readonly ipam: string | undefined;
  /** What the plugin calls in its turn. */
  readonly delegates: readonly string[];
}

/** Every conf directory of which something was read. Directories of binaries are left out. */
export function confDirectories(facts: ClusterFacts): readonly ConfDirectory[] {
  const found = new Map<string, { node: string | undefined; directory: string; source: Source }>();
  const names = new Map<string, Set<string>>();
  const texts = new Map<string, Map<string, CniConfInput>>();
  const open = (node: string | undefined, directory: string, source: Source): string => {
    const key = JSON.stringify([node ?? '', directory]);
    if (!found.has(key)) found.set(key, { node, directory, source });
    names.set(key, names.get(key) ?? new Set());
    texts.set(key, texts.get(key) ?? new Map());
    return key;
  };
  for (const listing of facts.listings) {
    if (!/\/net\.d\/?$/.test(listing.directory)) continue;
    const node = listing.node.known ? listing.node.value : undefined;
    const key = open(node, listing.directory.replace(/\/$/, ''), listing.source);
    for (const { name, type } of listing.entries)
      if (type !== 'directory') names.get(key)?.add(name);
  }
  for (const conf of facts.cniConfs) {
    const node = conf.node.known ? conf.node.value : undefined;
    const directory = valueOr(conf.directory, '/etc/cni/net.d').replace(/\/$/, '');
    const key = open(node, directory, conf.source);
    names.get(key)?.add(conf.name);
    texts.get(key)?.set(conf.name, conf);
  }
  return [...found].map(([key, place]) => ({
    ...place,
    candidates: confCandidates([...(names.get(key) ?? [])]),
    texts: texts.get(key) ?? new Map<string, CniConfInput>(),
  }));
}

/** What the runtime's loader makes of the text; containerd 2.0's where the runtime is not known. */
export function readConf(conf: CniConfInput, runtime?: NodeRuntime): ConfReading {
  const { library } = runtimeTraits(runtime?.name ?? 'containerd', runtime?.version ?? '2.0.5');
  const parsed = parseCniFile(conf.name, conf.text, library);
  if (!parsed.ok) return parsed;
  return { ok: true, plugins: parsed.network.plugins.map(pluginOf) };
}

function pluginOf({ type, raw }: CniPlugin): ConfPlugin {
  const ipam = structField(raw, 'ipam');
  const delegate = structField(raw, 'delegate');
  return {
    type,
    ipam: typeIn(ipam),
    // The flannel plugin makes a bridge with host-local addresses unless told otherwise.
    delegates: type === 'flannel' ? [typeIn(delegate) ?? 'bridge', 'host-local'] : [],
  };
}

function typeIn(value: JsonValue | undefined): string | undefined {
  const type = isJsonObject(value) ? structField(value, 'type') : undefined;
  return typeof type === 'string' ? type : undefined;
}

/** Every binary an ADD or DEL of these plugins executes. */
export function binariesOf(plugins: readonly ConfPlugin[]): readonly string[] {
  const names = plugins.flatMap(({ type, ipam, delegates }) => [
    type,
    ...(ipam === undefined ? [] : [ipam]),
    ...delegates,
  ]);
  return [...new Set(names)].filter((name) => name !== '');
}

/** The network a conf belongs to: by its first plugin where it was read, else by its file name. */
export function cniOf(name: string, reading: ConfReading | undefined): CniName | undefined {
  const first = reading?.ok === true ? reading.plugins[0]?.type : undefined;
  if (/canal/.test(name)) return 'canal';
  const clue = first === undefined || first === 'ptp' ? name : first;
  if (/flannel/.test(clue)) return 'flannel';
  if (/cilium/.test(clue)) return 'cilium';
  if (/calico/.test(clue)) return 'calico';
  if (/kindnet/.test(clue)) return 'kindnet';
  return undefined;
}

export function nodeNamed(facts: ClusterFacts, name: string | undefined): NodeFacts | undefined {
  return facts.nodes.known ? facts.nodes.value.find((node) => node.name === name) : undefined;
}

/** Undefined where the node's runtime was not read. */
export function runtimeOf(facts: ClusterFacts, node: string | undefined): NodeRuntime | undefined {
  const runtime = nodeNamed(facts, node)?.runtime;
  return runtime?.known === true ? runtime.value : undefined;
}

/** `node talos-cp-01`, or the directory where no node was told. */
export function placeOf({ node, directory }: ConfDirectory): string {
  return node === undefined ? directory : `${directory} of node ${node}`;
}
