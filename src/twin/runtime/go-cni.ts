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
import type { SandboxRequest } from '../world.ts';
import { type AddAnswer, type CniAnswer, LOOPBACK_NAME, type LibCni } from './libcni.ts';
import type { Attach, CniResult } from './plugin-call.ts';
import { type Run, Waiting, andThen, together } from './run.ts';
import { ReloadLock } from './reload-lock.ts';

const LOOPBACK: LoadedNetwork = {
  file: '',
  ifName: 'lo',
  network: networkOf({
    name: LOOPBACK_NAME,
    cniVersion: '0.3.1',
    plugins: [{ type: 'loopback', name: '', raw: { type: 'loopback' }, mapsPorts: false }],
    disableCheck: false,
    disableGc: false,
  }),
};

export interface SetupTarget {
  readonly containerId: string;
  readonly netns: string;
  readonly request: SandboxRequest;
}

export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
}

export type SetupAnswer =
  | {
      readonly ok: true;
      /** Addresses by interface, as the runtime collects them from all results. */
      readonly addresses: readonly InterfaceAddress[];
      readonly defaultRoute: boolean;
      /** The first plugin of the network that gave eth0. */
      readonly plugin: string;
      readonly networkName: string;
    }
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

  setup(target: SetupTarget): Run<SetupAnswer> {
    const { attached } = this;
    if (!this.ready) return { ok: false, message: NOT_INITIALIZED, because: [] };
    const answers: AddAnswer[] = [];
    for (let index = 0; index < attached.length; index += 1) {
      const loaded = attached[index];
      if (loaded === undefined) break;
      const run = this.cni.add(loaded.network, attachFor(target, loaded.ifName));
      if (run instanceof Waiting) return this.setupRest(target, answers, run);
      answers.push(run);
    }
    return collect(attached, answers);
  }

  /** One of the networks takes time; the others are set up beside it. */
  private setupRest(
    target: SetupTarget,
    before: readonly AddAnswer[],
    waiting: Waiting<AddAnswer>,
  ): Run<SetupAnswer> {
    const { attached } = this;
    const runs: Run<AddAnswer>[] = [...before, waiting];
    for (const loaded of attached.slice(runs.length)) {
      runs.push(this.cni.add(loaded.network, attachFor(target, loaded.ifName)));
    }
    return andThen(together<AddAnswer>(runs), (answers) => collect(attached, answers));
  }

  remove(target: SetupTarget): Run<CniAnswer> {
    return this.ready ? this.removeFrom(target, this.attached, 0) : NOT_READY;
  }

  private removeFrom(
    target: SetupTarget,
    attached: readonly LoadedNetwork[],
    from: number,
  ): Run<CniAnswer> {
    for (let index = from; index < attached.length; index += 1) {
      const loaded = attached[index];
      if (loaded === undefined) break;
      const run = this.cni.del(loaded.network, attachFor(target, loaded.ifName));
      if (run instanceof Waiting) {
        return andThen(run, (answer) =>
          counts(answer, target.netns) ? answer : this.removeFrom(target, attached, index + 1),
        );
      }
      if (counts(run, target.netns)) return run;
    }
    return FINE;
  }
}

function counts(answer: CniAnswer, netns: string): boolean {
  return !answer.ok && !isTolerated(answer.message, netns);
}

/** What go-cni takes for "already gone" (`cni.go` Remove; truth:L26). */
function isTolerated(message: string, netns: string): boolean {
  if (netns === '' && message.includes('no such file or directory')) return true;
  return message.includes('not found');
}

function attachFor({ containerId, netns, request }: SetupTarget, ifName: string): Attach {
  return { containerId, netns, ifName, request, ports: request.hostPorts };
}

function collect(attached: readonly LoadedNetwork[], answers: readonly AddAnswer[]): SetupAnswer {
  const addresses: InterfaceAddress[] = [];
  let defaultRoute = false;
  let first: CniNetwork | undefined;
  for (let index = 0; index < answers.length; index += 1) {
    const answer = answers[index];
    if (answer === undefined) break;
    if (!answer.ok) return answer;
    if (answer.result === undefined) continue;
    if (!addAddresses(answer.result, addresses)) continue;
    first ??= attached[index]?.network;
    defaultRoute ||= answer.result.defaultRoute;
  }
  return {
    ok: true,
    addresses,
    defaultRoute,
    plugin: first?.plugins[0]?.type ?? '',
    networkName: first?.name ?? '',
  };
}

/**
 * Whether eth0 got an address. One without an interface is eth0's (`go-cni:result.go`
 * getInterfaceName).
 */
function addAddresses(result: CniResult, into: InterfaceAddress[]): boolean {
  let gaveEth0 = false;
  for (const { address, onInterface } of result.addresses) {
    const name = onInterface === undefined ? 'eth0' : (result.interfaces[onInterface] ?? 'eth0');
    gaveEth0 ||= name === 'eth0';
    if (name !== 'lo') into.push({ name, address });
  }
  return gaveEth0;
}
