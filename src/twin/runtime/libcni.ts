/**
 * Running a network's plugins one after the other, as libcni does: ADD and CHECK in the list's
 * order, DEL backwards, results handed on and remembered (`cni:libcni/api.go@v1.1.2`, `@v1.2.3`,
 * `@v1.3.0`).
 */
import type { CniLibrary, CniNetwork, CniPlugin } from '../../knowledge/cni-conf.ts';
import { goQuote } from '../../knowledge/go-json.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import { type CachedAdd, type CniState, emptyContainer } from './cni-state.ts';
import {
  type Attach,
  type CniResult,
  DONE,
  NO_PORTS,
  type PluginCall,
  type PluginOutcome,
  type ReadyPlugin,
  type Verb,
  failed,
} from './plugin-call.ts';
import type { PluginHost } from './plugin-host.ts';
import { nameError } from './plugins/skeleton.ts';
import { type Run, andThen } from './run.ts';

export interface CniFailure {
  readonly ok: false;
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}

export type AddAnswer = { readonly ok: true; readonly result: CniResult | undefined } | CniFailure;
export type CniAnswer = { readonly ok: true } | CniFailure;

const FINE: CniAnswer = { ok: true };
const NO_CAUSES: readonly OccurrenceId[] = [];

/** go-cni's own network for `lo`; its cached results are of no use to anybody. */
export const LOOPBACK_NAME = 'cni-loopback';

/** Result versions each library can read (`cni:pkg/types/create`). */
const RESULT_VERSIONS = new Set(['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0']);

/** No version is the first (`cni:pkg/version/plugin.go`). */
const BEFORE_0_3 = new Set(['', '0.1.0', '0.2.0']);

/** A network's plugins as they are as long as no file of the node changes. */
interface Chain {
  readonly network: CniNetwork;
  readonly epoch: number;
  readonly plugins: readonly ReadyPlugin[];
}

export class LibCni {
  readonly library: CniLibrary;
  readonly host: PluginHost;
  private readonly state: CniState;
  /** The network that was called last, which is mostly the next one too. */
  private chain: Chain | undefined;
  /** A version that results can be in, and are kept as they are. */
  private usualVersion: string | undefined;

  constructor(library: CniLibrary, host: PluginHost) {
    this.library = library;
    this.host = host;
    this.state = host.state;
  }

  /** The network's plugin at an index, as it is now. */
  private ready(network: CniNetwork, index: number): ReadyPlugin | undefined {
    const { epoch } = this.host.files;
    let { chain } = this;
    if (chain?.network !== network || chain.epoch !== epoch) {
      chain = {
        network,
        epoch,
        plugins: network.plugins.map((one) => this.prepared(network, one)),
      };
      this.chain = chain;
    }
    return chain.plugins[index];
  }

  private prepared({ name, cniVersion }: CniNetwork, plugin: CniPlugin): ReadyPlugin {
    const { raw: conf, mapsPorts } = plugin;
    return this.host.ready(plugin.type, { conf, name, cniVersion, mapsPorts });
  }

  add(network: CniNetwork, attach: Attach): Run<AddAnswer> {
    const first = network.plugins[0];
    const bad = first === undefined ? undefined : nameError(network.name);
    if (first === undefined || bad === undefined)
      return this.addFrom(network, attach, 0, undefined);
    // Looking for the binary comes first, then the name is checked (`addNetwork`; truth:B10, B12).
    return failure(first, 'add', this.host.notFound(first.type) ?? failed(bad));
  }

  private addFrom(
    network: CniNetwork,
    attach: Attach,
    from: number,
    previous: CniResult | undefined,
  ): Run<AddAnswer> {
    let result = previous;
    const { plugins } = network;
    for (let index = from; index < plugins.length; index += 1) {
      const plugin = plugins[index];
      const run = this.ready(network, index)?.add(attach, result);
      if (plugin === undefined || run === undefined) break;
      if (run.kind === 'waiting') {
        return andThen(run, (outcome) => {
          const answer = this.answerOf(network, plugin, outcome);
          return answer.ok ? this.addFrom(network, attach, index + 1, answer.result) : answer;
        });
      }
      if (run.kind === 'result' && run.cniVersion === this.usualVersion) {
        result = run;
        continue;
      }
      const answer = this.answerOf(network, plugin, run);
      if (!answer.ok) return answer;
      result = answer.result;
    }
    return this.remember(network, attach, result);
  }

  private answerOf(network: CniNetwork, plugin: CniPlugin, outcome: PluginOutcome): AddAnswer {
    if (outcome.kind === 'failed') return failure(plugin, 'add', outcome);
    if (outcome.kind === 'done') return OK_WITHOUT_RESULT;
    const result = outcome;
    const version = result.cniVersion === '' ? network.cniVersion : result.cniVersion;
    if (!this.reads(version)) {
      const message = `plugin ${describe(plugin)} failed (add): unsupported CNI result version ${goQuote(version)}`;
      return { ok: false, message, because: NO_CAUSES };
    }
    if (BEFORE_0_3.has(version)) return { ok: true, result: withoutInterfaces(result) };
    if (result.cniVersion !== '') this.usualVersion = result.cniVersion;
    return { ok: true, result };
  }

  private reads(version: string): boolean {
    if (version === '' || RESULT_VERSIONS.has(version)) return true;
    return version === '1.1.0' && this.library !== '1.1';
  }

  private remember(network: CniNetwork, attach: Attach, result: CniResult | undefined): AddAnswer {
    const { container, ifName } = attach;
    if (network.name === '') {
      return {
        ok: false,
        message: `failed to set network ${goQuote(network.name)} cached result: ${noCachePath(network.name, attach)}`,
        because: NO_CAUSES,
      };
    }
    if (network.name === LOOPBACK_NAME) {
      this.state.cachesLoopback = true;
      return result === undefined ? OK_WITHOUT_RESULT : { ok: true, result };
    }
    const cached: CachedAdd = {
      ok: true,
      container,
      ifName,
      config: network,
      result,
      next: undefined,
    };
    this.state.cacheAdd(cached);
    return cached;
  }

  del(network: CniNetwork, attach: Attach): Run<CniAnswer> {
    const since = network.cachesResults;
    if (!since.ok) return { ok: false, message: since.error, because: NO_CAUSES };
    let previous: CniResult | undefined;
    if (since.value) {
      if (network.name === '' && this.library === '1.1') {
        const message = `failed to get network ${goQuote('')} cached result: ${noCachePath('', attach)}`;
        return { ok: false, message, because: NO_CAUSES };
      }
      previous = this.state.cacheGet(network.name, attach.container, attach.ifName)?.result;
    }
    return this.delFrom(network, attach, network.plugins.length - 1, previous);
  }

  private delFrom(
    network: CniNetwork,
    attach: Attach,
    from: number,
    previous: CniResult | undefined,
  ): Run<CniAnswer> {
    for (let index = from; index >= 0; index -= 1) {
      const plugin = network.plugins[index];
      if (plugin === undefined) break;
      const run = this.ready(network, index)?.del(attach, previous) ?? DONE;
      if (run.kind === 'waiting') {
        return andThen(run, (outcome) =>
          outcome.kind === 'failed'
            ? failure(plugin, 'delete', outcome)
            : this.delFrom(network, attach, index - 1, previous),
        );
      }
      if (run.kind === 'failed') return failure(plugin, 'delete', run);
    }
    if (network.name !== LOOPBACK_NAME) {
      this.state.cacheDelete(network.name, attach.container, attach.ifName);
    }
    return FINE;
  }

  check(network: CniNetwork, attach: Attach): Run<CniAnswer> {
    if (network.disableCheck) return FINE;
    if (network.name === '') {
      const message = `failed to get network ${goQuote('')} cached result: ${noCachePath('', attach)}`;
      return { ok: false, message, because: NO_CAUSES };
    }
    const cached = this.state.cacheGet(network.name, attach.container, attach.ifName);
    return this.each('CHECK', network, attach, 0, cached?.result);
  }

  /** The STATUS verb, for lists of cniVersion ≥ 1.1.0; the first plugin that complains counts. */
  status(network: CniNetwork): Run<CniAnswer> {
    return network.answersStatus ? this.each('STATUS', network, nobody(), 0, undefined) : FINE;
  }

  /** DEL for every cached attachment of the network that nobody claims, then the GC verb. */
  collect(network: CniNetwork, valid: (containerId: string, ifName: string) => boolean): void {
    if (network.disableGc) return;
    for (const cached of this.state.allCached()) {
      const { container, ifName, config } = cached;
      if (config.name === network.name && !valid(container.id, ifName)) {
        this.del(network, attachOf(cached));
      }
    }
    if (network.answersStatus) this.each('GC', network, nobody(), 0, undefined);
  }

  private each(
    verb: Verb,
    network: CniNetwork,
    attach: Attach,
    from: number,
    previous: CniResult | undefined,
  ): Run<CniAnswer> {
    const plugin = network.plugins[from];
    if (plugin === undefined) return FINE;
    return andThen(this.execute(verb, network, plugin, attach, previous), (outcome) =>
      outcome.kind === 'failed'
        ? { ok: false, message: outcome.message, because: outcome.because }
        : this.each(verb, network, attach, from + 1, previous),
    );
  }

  /** What a runtime that looks first finds wrong with a network (`ValidateNetworkList`). */
  problemOf(network: CniNetwork): string | undefined {
    const version = network.cniVersion === '' ? '0.1.0' : network.cniVersion;
    const problems = network.plugins.flatMap(({ type }) => {
      const versions = this.host.versionsOf(type);
      if (typeof versions === 'string') return [versions];
      if (versions.includes(version)) return [];
      return [`plugin ${type} does not support config version ${goQuote(version)}`];
    });
    return problems.length === 0 ? undefined : `[${problems.join(' ')}]`;
  }

  private execute(
    verb: Verb,
    network: CniNetwork,
    plugin: CniPlugin,
    attach: Attach,
    previous: CniResult | undefined,
  ): Run<PluginOutcome> {
    const call: PluginCall = {
      verb,
      attach,
      conf: plugin.raw,
      name: network.name,
      cniVersion: network.cniVersion,
      previous,
      mapsPorts: plugin.mapsPorts,
    };
    return this.host.execute(plugin.type, call);
  }
}

/**
 * Before 0.3.0 a result holds one address of each family and names no interfaces, so that whoever
 * reads it takes the first one's (`cni:pkg/types/040/types.go@v1.2.3` convertTo02x). By it, a
 * loopback conf without version gives a pod the address 127.0.0.1 (containerd 1.6.20, 2.0.5).
 */
function withoutInterfaces(result: CniResult): CniResult {
  const four = result.addresses.find(({ address }) => !address.includes(':'));
  const six = result.addresses.find(({ address }) => address.includes(':'));
  const addresses = [four, six].filter((address) => address !== undefined);
  return {
    ...result,
    interfaces: [],
    addresses: addresses.map((address) => ({ ...address, onInterface: undefined })),
  };
}

const OK_WITHOUT_RESULT: AddAnswer = { ok: true, result: undefined };

/** What a verb that is about no container is given. */
export function nobody(netns = '', ifName = ''): Attach {
  return { container: emptyContainer(''), hasNetns: netns !== '', netns, ifName, ports: NO_PORTS };
}

/** The interface that a cached result is about. */
export function attachOf({ container, ifName }: CachedAdd): Attach {
  return { container, hasNetns: true, netns: netnsPath(container.id), ifName, ports: NO_PORTS };
}

/** Where a runtime keeps a container's network namespace. */
export function netnsPath(containerId: string): string {
  return `/var/run/netns/cni-${containerId}`;
}

function describe(plugin: CniPlugin): string {
  const name = plugin.name === '' ? '' : ` name=${goQuote(plugin.name)}`;
  return `type=${goQuote(plugin.type)}${name}`;
}

function failure(
  plugin: CniPlugin,
  what: 'add' | 'delete',
  outcome: PluginOutcome & { readonly kind: 'failed' },
): CniFailure {
  const message = `plugin ${describe(plugin)} failed (${what}): ${outcome.message}`;
  return { ok: false, message, because: outcome.because };
}

function noCachePath(name: string, attach: Attach): string {
  return (
    `cache file path requires network name (${goQuote(name)}), container ID (${goQuote(attach.container.id)}), ` +
    `and interface name (${goQuote(attach.ifName)})`
  );
}
