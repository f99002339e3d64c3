/**
 * CNI configuration files as libcni parses them, with its own words for what is wrong with one
 * (`cni:libcni/conf.go@v1.1.2`, `@v1.2.3`, `@v1.3.0`; truth:B01–B32, E14). Parsing checks form only:
 * whether a plugin exists or likes its settings shows when it is run.
 */
import { type Comparison, cniAtLeast, cniGreater } from './cni-version.ts';
import { goKindOf, goTypeOf, isJsonObject, parseGoJson, structField } from './go-json.ts';
import type { JsonObject, JsonValue } from './go-json.ts';

/** The minor of libcni that reads; containerd and CRI-O bring their own (`cni-runtimes.ts`). */
export type CniLibrary = '1.1' | '1.2' | '1.3';

export interface CniPlugin {
  readonly type: string;
  /** A name inside the plugin's own settings; single-plugin files have one. */
  readonly name: string;
  readonly raw: JsonObject;
  /** Declares the capability `portMappings`, and so is told the pod's host ports. */
  readonly mapsPorts: boolean;
}

export interface CniNetwork {
  readonly name: string;
  /** What the file says, where a runtime gave the network another name. */
  readonly writtenName?: string;
  /** As written; empty when absent. */
  readonly cniVersion: string;
  readonly plugins: readonly CniPlugin[];
  /** From 0.4.0 on results are cached for DEL, and CHECK exists; the error when it is no version. */
  readonly cachesResults: Comparison;
  /** From 1.1.0 on STATUS and GC exist. */
  readonly answersStatus: boolean;
  readonly disableCheck: boolean;
  readonly disableGc: boolean;
}

export type CniParsed =
  | { readonly ok: true; readonly network: CniNetwork }
  | { readonly ok: false; readonly error: string };

/** `<directory>/<network>/*.conf`, which libcni ≥ 1.3 adds to a list; texts in byte order of names. */
export type PluginDirectory = (networkName: string) => readonly string[];

const LIST = 'error parsing configuration list';
const SINGLE = 'error parsing configuration';
const NOTHING_BESIDES: PluginDirectory = () => [];

export function parseCniFile(
  fileName: string,
  text: string,
  library: CniLibrary,
  besides: PluginDirectory = NOTHING_BESIDES,
): CniParsed {
  return fileName.endsWith('.conflist')
    ? parseCniList(text, library, besides)
    : parseCniSingle(text, library);
}

function parseCniList(
  text: string,
  library: CniLibrary,
  besides: PluginDirectory = NOTHING_BESIDES,
): CniParsed {
  const parsed = parseGoJson(text);
  if (!parsed.ok) return failed(`${LIST}: ${parsed.error}`);
  if (parsed.value !== null && !isJsonObject(parsed.value)) {
    return failed(
      `${LIST}: json: cannot unmarshal ${goKindOf(parsed.value)} into Go value of type map[string]interface {}`,
    );
  }
  const list = parsed.value ?? {};
  const head = readHead(list, library);
  if (typeof head === 'string') return failed(`${LIST}: ${head}`);
  const inline = readPlugins(list, head, library);
  if (typeof inline === 'string') return failed(inline);
  const plugins = [...inline];
  if (library === '1.3' && !head.onlyInlined) {
    for (const addition of besides(head.name)) {
      const plugin = parsePlugin(addition, library);
      if (typeof plugin === 'string') return failed(plugin);
      plugins.push(plugin);
    }
  }
  if (plugins.length === 0) return failed('no plugin configs found');
  const { name, cniVersion, disableCheck, disableGc } = head;
  return { ok: true, network: networkOf({ name, cniVersion, plugins, disableCheck, disableGc }) };
}

/** A `.conf` or `.json`: one plugin, made into a list of one (truth:B15, B26, C02, C18). */
function parseCniSingle(text: string, library: CniLibrary): CniParsed {
  const plugin = parsePlugin(text, library);
  if (typeof plugin === 'string') return failed(plugin);
  const version = structField(plugin.raw, 'cniVersion');
  const network = networkOf({
    name: plugin.name,
    cniVersion: typeof version === 'string' ? version : '',
    plugins: [plugin],
    disableCheck: false,
    disableGc: false,
  });
  return { ok: true, network };
}

/** A network with what follows from its version. */
export function networkOf(
  head: Omit<CniNetwork, 'cachesResults' | 'answersStatus' | 'writtenName'>,
): CniNetwork {
  const status = cniAtLeast(head.cniVersion, '1.1.0');
  return {
    ...head,
    cachesResults: cniAtLeast(head.cniVersion, '0.4.0'),
    answersStatus: status.ok && status.value,
  };
}

interface ListHead {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly disableGc: boolean;
  readonly onlyInlined: boolean;
}

/** The keys of a list, exact in case, or what is wrong with them. */
function readHead(list: JsonObject, library: CniLibrary): ListHead | string {
  const { name, cniVersion = '' } = list;
  if (name === undefined) return 'no name';
  if (typeof name !== 'string') return `invalid name type ${goTypeOf(name)}`;
  if (typeof cniVersion !== 'string') return `invalid cniVersion type ${goTypeOf(cniVersion)}`;
  if (library === '1.1') {
    const { disableCheck = false } = list;
    if (typeof disableCheck !== 'boolean') {
      return `invalid disableCheck type ${goTypeOf(disableCheck)}`;
    }
    return { name, cniVersion, disableCheck, disableGc: false, onlyInlined: true };
  }
  const version = chooseVersion(list['cniVersions'], cniVersion);
  if (!version.ok) return version.error;
  const flags = new Map<string, boolean>();
  for (const key of ['disableCheck', 'disableGC', 'loadOnlyInlinedPlugins']) {
    if (key === 'loadOnlyInlinedPlugins' && library !== '1.3') continue;
    const flag = readFlag(list, key);
    if (typeof flag === 'string') return flag;
    flags.set(key, flag);
  }
  return {
    name,
    cniVersion: version.version,
    disableCheck: flags.get('disableCheck') === true,
    disableGc: flags.get('disableGC') === true,
    onlyInlined: flags.get('loadOnlyInlinedPlugins') === true,
  };
}

type ChosenVersion =
  { readonly ok: true; readonly version: string } | { readonly ok: false; readonly error: string };

/** `cniVersions`: the highest that the library knows, `cniVersion` counting as one of them. */
function chooseVersion(versions: JsonValue | undefined, own: string): ChosenVersion {
  if (versions === undefined) return { ok: true, version: own };
  if (!Array.isArray(versions)) {
    return { ok: false, error: 'invalid type for cniVersions: []interface {}' };
  }
  let best: string | undefined;
  const consider = (version: string, complaint: string): string | undefined => {
    const above = cniGreater(version, '1.1.0');
    if (!above.ok) return `${complaint}: ${above.error}`;
    if (above.value) return undefined;
    const better = best === undefined ? undefined : cniGreater(version, best);
    if (better === undefined || (better.ok && better.value)) best = version;
    return undefined;
  };
  for (const [index, version] of versions.entries()) {
    if (typeof version !== 'string') {
      return {
        ok: false,
        error: `invalid type for cniVersions index ${index}: ${goTypeOf(version)}`,
      };
    }
    const error = consider(version, `invalid cniVersions entry ${version} at index ${index}`);
    if (error !== undefined) return { ok: false, error };
  }
  const error = own === '' ? undefined : consider(own, `invalid cniVersion ${own}`);
  return error === undefined ? { ok: true, version: best ?? own } : { ok: false, error };
}

function readFlag(list: JsonObject, key: string): boolean | string {
  const value = list[key];
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return `invalid type ${goTypeOf(value)} for ${key}`;
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  return `invalid value "${lower}" for ${key}`;
}

function readPlugins(list: JsonObject, head: ListHead, library: CniLibrary): CniPlugin[] | string {
  const { plugins } = list;
  if (plugins === undefined) {
    if (library !== '1.3') return `${LIST}: no 'plugins' key`;
    return head.onlyInlined
      ? `${LIST}: \`loadOnlyInlinedPlugins\` is true, and no 'plugins' key`
      : [];
  }
  if (!Array.isArray(plugins)) return `${LIST}: invalid 'plugins' type ${goTypeOf(plugins)}`;
  if (plugins.length === 0) return `${LIST}: no plugins in list`;
  const read: CniPlugin[] = [];
  for (const [index, value] of plugins.entries()) {
    const plugin = readPlugin(value, library);
    if (typeof plugin === 'string') return `failed to parse plugin config ${index}: ${plugin}`;
    read.push(plugin);
  }
  return read;
}

function parsePlugin(text: string, library: CniLibrary): CniPlugin | string {
  const parsed = parseGoJson(text);
  return parsed.ok ? readPlugin(parsed.value, library) : `${SINGLE}: ${parsed.error}`;
}

/** Fields of libcni's plugin struct that its decoder checks the type of. */
const FIELDS = [
  ['cniVersion', 'string', 'string'],
  ['name', 'string', 'string'],
  ['type', 'string', 'string'],
  ['capabilities', 'object', 'map[string]bool'],
  ['ipam', 'object', 'types.IPAM'],
  ['dns', 'object', 'types.DNS'],
  ['prevResult', 'object', 'map[string]interface {}'],
] as const;

function readPlugin(value: JsonValue, library: CniLibrary): CniPlugin | string {
  const struct = library === '1.3' ? 'PluginConf' : 'NetConf';
  if (value !== null && !isJsonObject(value)) {
    return `${SINGLE}: json: cannot unmarshal ${goKindOf(value)} into Go value of type types.${struct}`;
  }
  const raw = value ?? {};
  for (const [field, kind, type] of FIELDS) {
    const found = structField(raw, field);
    if (found === undefined || goKindOf(found) === kind) continue;
    return `${SINGLE}: json: cannot unmarshal ${goKindOf(found)} into Go struct field ${struct}.${field} of type ${type}`;
  }
  const type = structField(raw, 'type');
  if (typeof type !== 'string' || type === '') return `${SINGLE}: missing 'type'`;
  const name = structField(raw, 'name');
  const capabilities = structField(raw, 'capabilities');
  return {
    type,
    name: typeof name === 'string' ? name : '',
    raw,
    mapsPorts: isJsonObject(capabilities) && capabilities['portMappings'] === true,
  };
}

function failed(error: string): CniParsed {
  return { ok: false, error };
}
