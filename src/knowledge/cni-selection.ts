/**
 * Which network a container runtime takes from its conf directory. containerd lets the first file
 * decide and fails as a whole when that file is broken; CRI-O takes the first file that is whole and
 * whose plugins it finds (`go-cni:opts.go@v1.1.13`, `ocicni:pkg/ocicni/ocicni.go@v0.5.1`;
 * truth groups A–F).
 */
import { type CniLibrary, type CniNetwork, type CniParsed, parseCniFile } from './cni-conf.ts';
import type { RuntimeTraits } from './cni-runtimes.ts';

export const NOT_INITIALIZED = 'cni plugin not initialized';

export type ConfRead =
  | { readonly ok: true; readonly text: string }
  /** The operating system's words: `open <path>: no such file or directory`. */
  | { readonly ok: false; readonly error: string };

export interface ConfDirectory {
  readonly path: string;
  /** Entries that are not directories; links count, whatever they point to. */
  readonly names: readonly string[];
  read(name: string): ConfRead;
  /** Texts of `<path>/<network>/*.conf`; libcni ≥ 1.3 adds them to the network's list. */
  pluginsOf?(network: string): readonly string[];
}

export interface LoadedNetwork {
  readonly file: string;
  readonly network: CniNetwork;
  readonly ifName: string;
}

export type ConfFate =
  | { readonly file: string; readonly fate: 'loaded'; readonly ifName: string }
  /** No name that a loader looks at. */
  | { readonly file: string; readonly fate: 'ignored' }
  /** After the file that decided; never opened. */
  | { readonly file: string; readonly fate: 'unread' }
  /** Its error fails the load (containerd). */
  | { readonly file: string; readonly fate: 'broken'; readonly reason: string }
  /** Passed over (CRI-O). */
  | { readonly file: string; readonly fate: 'skipped'; readonly reason: string }
  /** Whole, and not the default network (CRI-O). */
  | { readonly file: string; readonly fate: 'standby' };

export interface Selection {
  /** containerd: what a pod is attached to, in order. CRI-O: the default network, then the others. */
  readonly networks: readonly LoadedNetwork[];
  /** `OK`, or the loader's error; containerd shows it as lastCNILoadStatus. */
  readonly status: string;
  /** The file whose error failed the load. */
  readonly brokenFile?: string;
}

export interface SelectionOptions {
  /** `max_conf_num`; 0 or less means all (truth:F03–F07). */
  readonly maxConfNum: number;
  /** Why the runtime finds the network's plugins unfit, if it looks (CRI-O). */
  readonly refuse?: (network: CniNetwork) => string | undefined;
}

const EXTENSIONS = new Set(['.conf', '.conflist', '.json']);

/** A name that a loader looks at: exactly one of three extensions, dotfiles too (truth:C10, C14, C16). */
export function isConfFile(name: string): boolean {
  const dot = name.lastIndexOf('.');
  return dot >= 0 && EXTENSIONS.has(name.slice(dot));
}

/** Byte order of UTF-8, as Go sorts: `10-` before `100-` before `5-`, `Z` before `a` (truth group C). */
export function compareConfNames(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Surrogate halves stand for code points above all others, which plain code units would not show. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The files a loader considers, in the order in which it does. */
export function confCandidates(names: readonly string[]): readonly string[] {
  return names.filter(isConfFile).sort(compareConfNames);
}

export function selectNetworks(
  traits: RuntimeTraits,
  directory: ConfDirectory,
  options: SelectionOptions,
): Selection {
  return traits.kind === 'containerd'
    ? selectFirst(traits.library, directory, options.maxConfNum)
    : selectValid(traits.library, directory, options.refuse);
}

function selectFirst(library: CniLibrary, directory: ConfDirectory, maxConfNum: number): Selection {
  const networks: LoadedNetwork[] = [];
  for (const file of confCandidates(directory.names)) {
    const loaded = load(directory, file, library);
    if (!loaded.ok) return loadFailed(fileError(directory, file, loaded.error), file);
    networks.push({ file, network: loaded.network, ifName: `eth${networks.length}` });
    if (networks.length === maxConfNum) break;
  }
  if (networks.length > 0) return { networks, status: 'OK' };
  return loadFailed(`no network config found in ${directory.path}: ${NOT_INITIALIZED}`);
}

function loadFailed(error: string, brokenFile?: string): Selection {
  const status = `cni config load failed: ${error}: failed to load cni config`;
  return { networks: [], status, ...(brokenFile === undefined ? {} : { brokenFile }) };
}

function fileError(directory: ConfDirectory, file: string, error: string): string {
  const kind = file.endsWith('.conflist') ? 'list file' : 'file';
  return `failed to load CNI config ${kind} ${directory.path}/${file}: ${error}: invalid cni config`;
}

function selectValid(
  library: CniLibrary,
  directory: ConfDirectory,
  refuse: SelectionOptions['refuse'],
): Selection {
  const networks: LoadedNetwork[] = [];
  const names = new Set<string>();
  for (const file of confCandidates(directory.names)) {
    const loaded = load(directory, file, library);
    if (!loaded.ok || refuse?.(loaded.network) !== undefined) continue;
    const name = crioName(loaded.network, file);
    if (names.has(name)) continue;
    names.add(name);
    networks.push({ file, network: named(loaded.network, name), ifName: 'eth0' });
  }
  const status =
    networks.length > 0
      ? 'OK'
      : `no CNI configuration file in ${directory.path}. Has your network provider started?`;
  return { networks, status };
}

function named(network: CniNetwork, name: string): CniNetwork {
  return name === network.name ? network : { ...network, name, writtenName: network.name };
}

/** A network without a name gets its file's (truth:B10, B15). */
function crioName(network: CniNetwork, file: string): string {
  return network.name === '' ? file : network.name;
}

/** What becomes of every entry of the directory, in the loader's order, ignored ones last. */
export function fatesOf(
  traits: RuntimeTraits,
  directory: ConfDirectory,
  options: SelectionOptions,
): readonly ConfFate[] {
  const selection = selectNetworks(traits, directory, options);
  const byFile = new Map(selection.networks.map((loaded) => [loaded.file, loaded]));
  const fates: ConfFate[] = [];
  let decided = false;
  for (const file of confCandidates(directory.names)) {
    const loaded = byFile.get(file);
    if (traits.kind === 'cri-o') fates.push(crioFate(traits, directory, options, file, loaded));
    else if (selection.brokenFile === file) {
      fates.push({ file, fate: 'broken', reason: reasonOf(traits, directory, file) });
    } else if (loaded !== undefined) fates.push({ file, fate: 'loaded', ifName: loaded.ifName });
    else if (selection.brokenFile !== undefined && !decided) {
      fates.push({ file, fate: 'broken', reason: 'dropped with the file that failed the load' });
    } else fates.push({ file, fate: 'unread' });
    if (selection.brokenFile === file) decided = true;
  }
  const ignored = directory.names.filter((name) => !isConfFile(name)).sort(compareConfNames);
  return [...fates, ...ignored.map((file): ConfFate => ({ file, fate: 'ignored' }))];
}

function crioFate(
  traits: RuntimeTraits,
  directory: ConfDirectory,
  options: SelectionOptions,
  file: string,
  loaded: LoadedNetwork | undefined,
): ConfFate {
  const first = selectNetworks(traits, directory, options).networks[0];
  if (first !== undefined && first.file === file) return { file, fate: 'loaded', ifName: 'eth0' };
  if (loaded !== undefined) return { file, fate: 'standby' };
  const read = load(directory, file, traits.library);
  if (!read.ok) return { file, fate: 'skipped', reason: read.error };
  const refusal = options.refuse?.(read.network);
  return { file, fate: 'skipped', reason: refusal ?? 'another file has a network of this name' };
}

function reasonOf(traits: RuntimeTraits, directory: ConfDirectory, file: string): string {
  const read = load(directory, file, traits.library);
  return read.ok ? '' : read.error;
}

// ---------------------------------------------------------------- parsing, remembered by text

type Remembered = Map<string, CniParsed>;
const REMEMBERED_MAX = 512;
const rememberedLists: Record<CniLibrary, Remembered> = {
  '1.1': new Map(),
  '1.2': new Map(),
  '1.3': new Map(),
};
const rememberedSingles: Record<CniLibrary, Remembered> = {
  '1.1': new Map(),
  '1.2': new Map(),
  '1.3': new Map(),
};

/** Nodes share their confs, so a text is parsed once however many nodes read it. */
function load(directory: ConfDirectory, file: string, library: CniLibrary): CniParsed {
  const read = directory.read(file);
  if (!read.ok)
    return { ok: false, error: `error reading ${directory.path}/${file}: ${read.error}` };
  const besides = directory.pluginsOf;
  if (library === '1.3' && besides !== undefined) {
    return parseCniFile(file, read.text, library, (name) => besides.call(directory, name));
  }
  const known = (file.endsWith('.conflist') ? rememberedLists : rememberedSingles)[library];
  const before = known.get(read.text);
  if (before !== undefined) return before;
  const parsed = parseCniFile(file, read.text, library);
  if (known.size >= REMEMBERED_MAX) known.clear();
  known.set(read.text, parsed);
  return parsed;
}
