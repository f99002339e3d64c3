/**
 * CNI conf directories as they were listed and read, and which file of one a runtime takes.
 * truth: A, B, C, D cases; talos-and-cni-selection 3.1 and 3.2.
 */
import type { Source } from '../base/source.ts';
import type { CniConfInput } from '../model/cluster-input.ts';
import { valueOr } from '../model/fact.ts';
import type { ClusterFacts, CniName, NodeFacts } from '../model/facts.ts';

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
  | { readonly ok: true; readonly network: string; readonly plugins: readonly ConfPlugin[] }
  | { readonly ok: false; readonly error: string };

export interface ConfPlugin {
  readonly type: string;
  readonly ipam: string | undefined;
  /** `delegate.type` of the flannel plugin, or what stands in its place. */
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
    candidates: [...(names.get(key) ?? [])].filter(isCandidate).toSorted(byteOrder),
    texts: texts.get(key) ?? new Map<string, CniConfInput>(),
  }));
}

/** Extension exactly `.conf`, `.conflist` or `.json`, case-sensitive; dotfiles count (truth: D). */
export function isCandidate(name: string): boolean {
  return /\.(conf|conflist|json)$/.test(name);
}

function byteOrder(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What the loader makes of the text; `error` says which of its checks fails. */
export function readConf({ name, text }: Pick<CniConfInput, 'name' | 'text'>): ConfReading {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, error: text.trim() === '' ? 'the file is empty' : 'it is not JSON' };
  }
  const { name: network, type, plugins } = fields(document);
  if (!name.endsWith('.conflist')) {
    return typeof type === 'string' && type !== ''
      ? { ok: true, network: textOf(network), plugins: [pluginOf(document)] }
      : { ok: false, error: 'it names no plugin type, which a file that is no .conflist must' };
  }
  if (!Array.isArray(plugins) || plugins.length === 0) {
    return { ok: false, error: 'its list of plugins is missing or empty' };
  }
  return { ok: true, network: textOf(network), plugins: plugins.map(pluginOf) };
}

function pluginOf(entry: unknown): ConfPlugin {
  const { type, ipam, delegate } = fields(entry);
  const ipamType = fields(ipam).type;
  // The flannel plugin makes a bridge with host-local addresses unless told otherwise.
  const delegates =
    type === 'flannel' ? [textOf(fields(delegate).type) || 'bridge', 'host-local'] : [];
  return {
    type: textOf(type),
    ipam: typeof ipamType === 'string' ? ipamType : undefined,
    delegates,
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  // An object's own keys; anything else has none.
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
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

/** `containerd`, `cri-o`, or undefined where the node's runtime was not read. */
export function runtimeOf(facts: ClusterFacts, node: string | undefined) {
  const runtime = nodeNamed(facts, node)?.runtime;
  return runtime?.known === true ? runtime.value.name : undefined;
}

/** `node talos-cp-01`, or the directory where no node was told. */
export function placeOf({ node, directory }: ConfDirectory): string {
  return node === undefined ? directory : `${directory} of node ${node}`;
}
