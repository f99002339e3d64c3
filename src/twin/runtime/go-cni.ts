/**
 * containerd's CNI layer: the networks loaded now, and the lock around them. A reload drops what was
 * loaded first and waits for nobody, except that from go-cni 1.1.11 on it waits for running ADDs,
 * and everybody else waits for it (`go-cni:cni.go@v1.1.6`, `@v1.1.12`; truth:T04, R03, L02).
 */
import { type CniNetwork, networkOf } from '../../knowledge/cni-conf.ts';
import type { RuntimeTraits } from '../../knowledge/cni-runtimes.ts';
import {
  type LoadedNetwork,
  NOT_INITIALIZED,
  type Selection,
} from '../../knowledge/cni-selection.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import {
  type AddAnswer,
  type CniAnswer,
  type CniFailure,
  LOOPBACK_NAME,
  type LibCni,
  netnsPath,
} from './libcni.ts';
import type { SandboxRequest } from '../world.ts';
import type { Attach, CniResult } from './plugin-call.ts';
import type { PluginHost } from './plugin-host.ts';
import { type Run, type Waiting, andThen, together } from './run.ts';
import type { Sandbox } from './sandbox-store.ts';
import { ReloadLock } from './reload-lock.ts';

const LOOPBACK_TYPE = 'loopback';
const LOOPBACK: LoadedNetwork = {
  file: '',
  ifName: 'lo',
  network: networkOf({
    name: LOOPBACK_NAME,
    cniVersion: '0.3.1',
    plugins: [{ type: LOOPBACK_TYPE, name: '', raw: { type: LOOPBACK_TYPE }, mapsPorts: false }],
    disableCheck: false,
    disableGc: false,
  }),
};

export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
}

export interface Setup {
  readonly ok: true;
  /** eth0's first address. */
  readonly ip: string | undefined;
  /** All addresses by interface, as the runtime collects them from all results; undefined when there is but eth0's. */
  readonly others: readonly InterfaceAddress[] | undefined;
  readonly defaultRoute: boolean;
  /** The first network that gave eth0. */
  readonly network: CniNetwork | undefined;
}

export type SetupAnswer =
  | Setup
  | { readonly ok: false; readonly message: string; readonly because: readonly OccurrenceId[] };

const NOT_READY: CniAnswer = { ok: false, message: NOT_INITIALIZED, because: [] };
const FINE: CniAnswer = { ok: true };

export class GoCni {
  readonly lock: ReloadLock;
  selection: Selection = { networks: [], status: '' };
  private readonly cni: LibCni;
  private readonly traits: RuntimeTraits;
  private readonly internalLoopback: boolean;
  /** What pods are attached to: loopback, then the loaded networks. */
  private attached: readonly LoadedNetwork[] = [];
  private asksStatus = false;
  /** Those of them whose plugins are called, and as of which change of the node's files. */
  private called: readonly LoadedNetwork[] = [];
  private calledAt = -1;

  constructor(cni: LibCni, traits: RuntimeTraits, internalLoopback: boolean) {
    this.cni = cni;
    this.traits = traits;
    this.internalLoopback = internalLoopback;
    this.lock = new ReloadLock(cni.host.kernel, traits.holdsLock);
  }

  /** Takes over what a load found; nothing of what was loaded before stays. */
  loaded(selection: Selection): void {
    this.selection = selection;
    this.asksStatus =
      this.traits.asksStatus && selection.networks.some(({ network }) => network.answersStatus);
    this.calledAt = -1;
    this.attached = this.internalLoopback ? selection.networks : [LOOPBACK, ...selection.networks];
  }

  get ready(): boolean {
    return this.selection.networks.length > 0;
  }

  /** All that is loaded, loopback included, as verbose Status shows it. */
  networks(): readonly LoadedNetwork[] {
    return this.attached;
  }

  status(): Run<CniAnswer> {
    if (!this.ready) return NOT_READY;
    return this.asksStatus ? this.statusFrom(0) : FINE;
  }

  private statusFrom(index: number): Run<CniAnswer> {
    const loaded = this.attached[index];
    if (loaded === undefined) return FINE;
    return andThen(this.cni.status(loaded.network), (answer) =>
      answer.ok ? this.statusFrom(index + 1) : answer,
    );
  }

  /**
   * All networks side by side. Each is a goroutine of its own, and of those started together the
   * last runs first (`go-cni:cni.go@v1.1.12` attachNetworks; measured with two and three networks on
   * 1.6.20 and 2.0.5: of two whose plugins are missing, the last is told in 38 of 40 attempts). A
   * plugin that is not found fails before any that is run (40 of 40).
   */
  setup(target: Sandbox): Run<SetupAnswer> {
    const attached = this.networksToCall();
    const last = attached[attached.length - 1];
    if (!this.ready || last === undefined) {
      return { ok: false, message: NOT_INITIALIZED, because: [] };
    }
    const lastRun = this.add(last, target);
    if (attached.length === 1 && lastRun.ok !== undefined) return setupOf(last.network, lastRun);
    const collected = new Collected(this.cni.host);
    if (lastRun.ok !== undefined) collected.note(last.network, lastRun);
    for (let index = 0; index < attached.length - 1; index += 1) {
      const loaded = attached[index];
      if (loaded === undefined) break;
      const run = this.add(loaded, target);
      if (run.ok === undefined) {
        return this.setupRest(target, collected, attached.slice(index), [run, lastRun]);
      }
      collected.take(loaded.network, run);
    }
    if (lastRun.ok !== undefined) return collected.and(last.network, lastRun);
    return andThen(lastRun, (answer) => collected.and(last.network, answer));
  }

  private add(loaded: LoadedNetwork, target: Sandbox): Run<AddAnswer> {
    return this.cni.add(loaded.network, new SandboxInterface(target, loaded.ifName));
  }

  /** A loopback plugin that does the same whoever calls it need not be called every time. */
  private networksToCall(): readonly LoadedNetwork[] {
    const { host } = this.cni;
    if (this.calledAt === host.files.epoch) return this.called;
    const known = !this.internalLoopback && host.isConstant(LOOPBACK_TYPE);
    if (known) host.state.cachesLoopback = true;
    this.called = known ? this.selection.networks : this.attached;
    this.calledAt = host.files.epoch;
    return this.called;
  }

  /** One of the networks takes time; the others are set up beside it. */
  private setupRest(
    target: Sandbox,
    collected: Collected,
    rest: readonly LoadedNetwork[],
    [waiting, lastRun]: readonly [Waiting<AddAnswer>, Run<AddAnswer>],
  ): Run<SetupAnswer> {
    const between = rest.slice(1, -1).map((loaded) => this.add(loaded, target));
    return andThen(together<AddAnswer>([waiting, ...between, lastRun]), (answers) => {
      for (const [index, { network }] of rest.entries()) collected.take(network, answers[index]);
      return collected.answer();
    });
  }

  remove(target: Sandbox): Run<CniAnswer> {
    return this.ready ? this.removeFrom(target, this.networksToCall(), 0) : NOT_READY;
  }

  private removeFrom(
    target: Sandbox,
    attached: readonly LoadedNetwork[],
    from: number,
  ): Run<CniAnswer> {
    for (let index = from; index < attached.length; index += 1) {
      const loaded = attached[index];
      if (loaded === undefined) break;
      const run = this.cni.del(loaded.network, new SandboxInterface(target, loaded.ifName));
      if (run.ok === undefined) {
        return andThen(run, (answer) =>
          counts(answer, target.hasNetns) ? answer : this.removeFrom(target, attached, index + 1),
        );
      }
      if (counts(run, target.hasNetns)) return run;
    }
    return FINE;
  }
}

function counts(answer: CniAnswer, hasNetns: boolean): boolean {
  return !answer.ok && !isTolerated(answer.message, hasNetns);
}

/** What go-cni takes for "already gone" (`cni.go` Remove; truth:L26). */
function isTolerated(message: string, hasNetns: boolean): boolean {
  if (!hasNetns && message.includes('no such file or directory')) return true;
  return message.includes('not found');
}

/** One of a sandbox's interfaces, as plugins are told of it. */
class SandboxInterface implements Attach {
  readonly container: Sandbox;
  readonly ifName: string;
  readonly hasNetns: boolean;

  constructor(sandbox: Sandbox, ifName: string) {
    this.container = sandbox;
    this.ifName = ifName;
    this.hasNetns = sandbox.hasNetns;
  }

  get netns(): string {
    return this.hasNetns ? netnsPath(this.container.id) : '';
  }

  get ports(): SandboxRequest['hostPorts'] {
    return this.container.request.hostPorts;
  }
}

/** The one network's result as the runtime sees it; most often it gives eth0 one address. */
function setupOf(network: CniNetwork, answer: AddAnswer): SetupAnswer {
  if (!answer.ok) return answer;
  const { result } = answer;
  const address = result?.addresses[0];
  if (
    result?.addresses.length !== 1 ||
    address?.onInterface === undefined ||
    result.interfaces[address.onInterface] !== 'eth0'
  ) {
    return new Collected(undefined).and(network, answer);
  }
  const { defaultRoute } = result;
  const ip = address.address;
  return { ok: true, ip, others: undefined, defaultRoute, network };
}

/** The results of all networks as the runtime sees them; the first failure is the answer. */
class Collected implements Setup {
  readonly ok = true;
  ip: string | undefined;
  others: readonly InterfaceAddress[] | undefined;
  defaultRoute = false;
  network: CniNetwork | undefined;
  private failure: CniFailure | undefined;
  private failureRan = false;
  private readonly host: PluginHost | undefined;

  /** `host` tells which of several failed first. */
  constructor(host: PluginHost | undefined) {
    this.host = host;
  }

  take(network: CniNetwork, answer: AddAnswer | undefined): void {
    if (answer === undefined) return;
    this.note(network, answer);
    if (this.failure !== undefined || !answer.ok || answer.result === undefined) return;
    if (!this.takeAddresses(answer.result)) return;
    this.network ??= network;
    this.defaultRoute ||= answer.result.defaultRoute;
  }

  /** Whether a network failed, and whether it did so before the others that failed. */
  note(network: CniNetwork, answer: AddAnswer): void {
    if (answer.ok) return;
    const ran = this.host?.notFound(network.plugins[0]?.type ?? '') === undefined;
    if (this.failure !== undefined && (ran || !this.failureRan)) return;
    this.failure = answer;
    this.failureRan = ran;
  }

  and(network: CniNetwork, answer: AddAnswer): SetupAnswer {
    this.take(network, answer);
    return this.answer();
  }

  answer(): SetupAnswer {
    return this.failure ?? this;
  }

  /**
   * Whether eth0 got an address. One without an interface is eth0's (`go-cni:result.go`
   * getInterfaceName).
   */
  private takeAddresses({ addresses, interfaces }: CniResult): boolean {
    let gaveEth0 = false;
    for (const { address, onInterface } of addresses) {
      const name = onInterface === undefined ? 'eth0' : (interfaces[onInterface] ?? 'eth0');
      if (name === 'eth0') gaveEth0 = true;
      if (name !== 'lo') this.takeAddress(name, address);
    }
    return gaveEth0;
  }

  private takeAddress(name: string, address: string): void {
    const { ip } = this;
    if (name === 'eth0') this.ip ??= address;
    if (name === 'eth0' && ip === undefined && this.others === undefined) return;
    const before = this.others ?? (ip === undefined ? [] : [{ name: 'eth0', address: ip }]);
    this.others = [...before, { name, address }];
  }
}
