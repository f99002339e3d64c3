/**
 * What every plugin built on CNI's skeleton does before its own work: checks the network's name and
 * the version (`cni:pkg/skel/skel.go@v1.2.3`; truth:B10, B12, E08, E11).
 */
import { CNI_VERSIONS, cniAtLeast } from '../../../knowledge/cni-version.ts';
import { goQuote } from '../../../knowledge/go-json.ts';
import {
  type Attach,
  type CniResult,
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  type PluginSettings,
  type ReadyPlugin,
  type Verb,
  callOf,
  failed,
  settingsOf,
} from '../plugin-call.ts';
import type { PluginHost, PluginProgram } from '../plugin-host.ts';

export type PluginFunction = (call: PluginCall, host: PluginHost, version: string) => PluginRun;

/** What a plugin does at verbs that are rare. */
interface OtherFunctions {
  readonly check?: PluginFunction;
  readonly status?: PluginFunction;
}

/** A plugin that looks at its settings with every call. */
export interface PluginFunctions extends OtherFunctions {
  readonly add: PluginFunction;
  readonly del: PluginFunction;
}

/** A plugin that reads its settings before it is called. */
export interface PreparedFunctions extends OtherFunctions {
  readonly prepare: (settings: PluginSettings, host: PluginHost, version: string) => ReadyPlugin;
}

export const VERSIONS_UNTIL_0_4 = CNI_VERSIONS.slice(0, -2);
export const VERSIONS_UNTIL_1_0 = CNI_VERSIONS.slice(0, -1);
export const VERSIONS_UNTIL_1_1: readonly string[] = CNI_VERSIONS;

export function pluginProgram(
  functions: PluginFunctions | PreparedFunctions,
  supports: (version: string) => readonly string[],
): PluginProgram {
  const prepare = (settings: PluginSettings, host: PluginHost, version: string): ReadyPlugin => {
    const problem =
      nameProblem(settings.name) ?? versionProblem('ADD', settings.cniVersion, supports(version));
    if (problem !== undefined) return new Refusing(problem);
    if ('prepare' in functions) return functions.prepare(settings, host, version);
    return new Called(functions, settings, host, version);
  };
  return {
    supports,
    prepare,
    run(call, host, version) {
      const { verb, attach, previous } = call;
      if (verb === 'ADD') return prepare(settingsOf(call), host, version).add(attach, previous);
      if (verb === 'DEL') return prepare(settingsOf(call), host, version).del(attach, previous);
      const problem =
        nameProblem(call.name) ?? versionProblem(verb, call.cniVersion, supports(version));
      if (problem !== undefined) return problem;
      if (verb === 'CHECK') return functions.check?.(call, host, version) ?? DONE;
      if (verb === 'STATUS') return functions.status?.(call, host, version) ?? DONE;
      return DONE;
    },
  };
}

class Refusing implements ReadyPlugin {
  private readonly problem: PluginOutcome;

  constructor(problem: PluginOutcome) {
    this.problem = problem;
  }

  add(): PluginRun {
    return this.problem;
  }

  del(): PluginRun {
    return this.problem;
  }
}

class Called implements ReadyPlugin {
  private readonly functions: PluginFunctions;
  private readonly settings: PluginSettings;
  private readonly host: PluginHost;
  private readonly version: string;

  constructor(
    functions: PluginFunctions,
    settings: PluginSettings,
    host: PluginHost,
    version: string,
  ) {
    this.functions = functions;
    this.settings = settings;
    this.host = host;
    this.version = version;
  }

  add(attach: Attach, previous: CniResult | undefined): PluginRun {
    const call = callOf('ADD', this.settings, attach, previous);
    return this.functions.add(call, this.host, this.version);
  }

  del(attach: Attach, previous: CniResult | undefined): PluginRun {
    const call = callOf('DEL', this.settings, attach, previous);
    return this.functions.del(call, this.host, this.version);
  }
}

const VALID_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const validNames = new Set<string>();
const VALID_NAMES_MAX = 1_000;
let lastValid: string | undefined;

/** `cni:pkg/utils/utils.go` ValidateNetworkName. */
export function nameError(name: string): string | undefined {
  if (name === lastValid) return undefined;
  if (validNames.has(name)) {
    lastValid = name;
    return undefined;
  }
  if (name === '') return 'missing network name:';
  if (!VALID_NAME.test(name)) return `invalid characters found in network name; ${name}`;
  if (validNames.size < VALID_NAMES_MAX) validNames.add(name);
  return undefined;
}

function nameProblem(name: string): PluginOutcome | undefined {
  const error = nameError(name);
  if (error === undefined) return undefined;
  return failed(name === '' ? 'missing network name' : error);
}

/**
 * The skeleton before libcni 1.2 wants a container for every verb it does not know either, and
 * STATUS has none (`cni:pkg/skel/skel.go@v0.8.1`; seen with the flannel plugin 0.9.1).
 */
const NO_CONTAINER = 'missing containerID';

function versionProblem(
  verb: Verb,
  cniVersion: string,
  supported: readonly string[],
): PluginOutcome | undefined {
  const version = cniVersion === '' ? '0.1.0' : cniVersion;
  const isFirst = verb === 'ADD' || verb === 'DEL';
  if (isFirst && supported.includes(version)) return undefined;
  const since = verb === 'CHECK' ? '0.4.0' : isFirst ? '' : '1.1.0';
  if (since === '1.1.0' && !supported.includes(since)) return failed(NO_CONTAINER);
  if (since !== '') {
    const allowed = cniAtLeast(version, since);
    if (!allowed.ok) return failed(allowed.error);
    if (!allowed.value) return failed(`config version does not allow ${verb}`);
    const known = supported.some((other) => {
      const enough = cniAtLeast(other, version);
      return enough.ok && enough.value;
    });
    if (!known) return failed(`plugin version does not allow ${verb}`);
    if (supported.includes(version)) return undefined;
  }
  const list = supported.map(goQuote).join(' ');
  return failed(
    `incompatible CNI versions; config is ${goQuote(version)}, plugin supports [${list}]`,
  );
}
