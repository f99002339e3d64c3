/**
 * What every plugin built on CNI's skeleton does before its own work: checks the network's name and
 * the version (`cni:pkg/skel/skel.go@v1.2.3`; truth:B10, B12, E08, E11).
 */
import { CNI_VERSIONS, cniAtLeast } from '../../../knowledge/cni-version.ts';
import { goQuote } from '../../../knowledge/go-json.ts';
import {
  DONE,
  type PluginCall,
  type PluginOutcome,
  type PluginRun,
  failed,
} from '../plugin-call.ts';
import type { PluginHost, PluginProgram } from '../plugin-host.ts';

export type PluginFunction = (call: PluginCall, host: PluginHost, version: string) => PluginRun;

export interface PluginFunctions {
  readonly add: PluginFunction;
  readonly del: PluginFunction;
  readonly check?: PluginFunction;
  readonly status?: PluginFunction;
}

export const VERSIONS_UNTIL_0_4 = CNI_VERSIONS.slice(0, -2);
export const VERSIONS_UNTIL_1_0 = CNI_VERSIONS.slice(0, -1);
export const VERSIONS_UNTIL_1_1: readonly string[] = CNI_VERSIONS;

export function pluginProgram(
  functions: PluginFunctions,
  supports: (version: string) => readonly string[],
): PluginProgram {
  // Network, version and plugin of the last call that was let through: mostly those of the next.
  let name: string | undefined;
  let cniVersion: string | undefined;
  let own: string | undefined;
  return {
    supports,
    run(call, host, version) {
      const same = call.name === name && call.cniVersion === cniVersion && version === own;
      if (!same || (call.verb !== 'ADD' && call.verb !== 'DEL')) {
        const problem = nameProblem(call.name) ?? versionProblem(call, supports(version));
        if (problem !== undefined) return problem;
        if (call.verb === 'ADD' || call.verb === 'DEL') {
          ({ name, cniVersion } = call);
          own = version;
        }
      }
      switch (call.verb) {
        case 'ADD':
          return functions.add(call, host, version);
        case 'DEL':
          return functions.del(call, host, version);
        case 'CHECK':
          return functions.check?.(call, host, version) ?? DONE;
        case 'STATUS':
          return functions.status?.(call, host, version) ?? DONE;
        default:
          return DONE;
      }
    },
  };
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

function versionProblem(call: PluginCall, supported: readonly string[]): PluginOutcome | undefined {
  const version = call.cniVersion === '' ? '0.1.0' : call.cniVersion;
  if ((call.verb === 'ADD' || call.verb === 'DEL') && supported.includes(version)) return undefined;
  const since =
    call.verb === 'CHECK' ? '0.4.0' : call.verb === 'ADD' || call.verb === 'DEL' ? '' : '1.1.0';
  if (since === '1.1.0' && !supported.includes(since)) return failed(NO_CONTAINER);
  if (since !== '') {
    const allowed = cniAtLeast(version, since);
    if (!allowed.ok) return failed(allowed.error);
    if (!allowed.value) return failed(`config version does not allow ${call.verb}`);
    const known = supported.some((other) => {
      const enough = cniAtLeast(other, version);
      return enough.ok && enough.value;
    });
    if (!known) return failed(`plugin version does not allow ${call.verb}`);
    if (supported.includes(version)) return undefined;
  }
  const list = supported.map(goQuote).join(' ');
  return failed(
    `incompatible CNI versions; config is ${goQuote(version)}, plugin supports [${list}]`,
  );
}
