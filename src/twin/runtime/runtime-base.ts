/**
 * What containerd and CRI-O share as processes on a node: their sandboxes, the calls they have not
 * answered, and what a restart of the process or the machine does to both.
 */
import {
  type RuntimeKind,
  type RuntimeTraits,
  runtimeTraits,
} from '../../knowledge/cni-runtimes.ts';
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import type { LoadedNetwork } from '../../knowledge/cni-selection.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { NetworkStatus, SandboxRequest, SandboxResult, StopResult } from '../world.ts';
import type { CniPaths } from '../node/cni-paths.ts';
import { CniState } from './cni-state.ts';
import type { ConfMonitor } from './conf-monitor.ts';
import { type Answer, InFlight } from './in-flight.ts';
import { NodeLinks } from './node-links.ts';
import type { NodeRuntime, RunOptions, RuntimeOptions, SandboxState } from './node-runtime.ts';
import { PluginHost } from './plugin-host.ts';
import { PROGRAMS } from './plugins/programs.ts';
import { scripts } from './plugins/script.ts';
import { Sandbox, SandboxStore } from './sandbox-store.ts';
import { pluginOf, stateOf } from './sandbox-views.ts';

export const NOT_RUNNING: NetworkStatus = {
  ready: false,
  reason: 'RuntimeNotReady',
  message: 'container runtime is down',
  because: [],
};

export function notReady(error: string): string {
  return `Network plugin returns error: ${error}`;
}

export abstract class RuntimeBase implements NodeRuntime {
  abstract readonly name: RuntimeKind;
  readonly state: CniState;
  readonly links: NodeLinks;
  running = true;
  traits: RuntimeTraits;
  protected options: RuntimeOptions;
  protected readonly host: PluginHost;
  protected readonly sandboxes: SandboxStore;
  protected readonly inFlight = new InFlight();
  protected monitor: ConfMonitor | undefined;
  protected powered = true;
  private readonly listeners: (() => void)[] = [];
  private installed: string;

  constructor(kind: RuntimeKind, options: RuntimeOptions) {
    this.options = options;
    this.installed = options.version;
    this.traits = runtimeTraits(kind, options.version);
    this.state = new CniState();
    options.files.mountState('/var/lib/cni', this.state);
    this.links = new NodeLinks(options.network);
    this.host = new PluginHost({
      ...options,
      state: this.state,
      links: this.links,
      programs: options.programs ?? PROGRAMS,
      scripts,
      trace: options.trace?.call,
    });
    this.sandboxes = new SandboxStore(options.node);
  }

  get version(): string {
    return this.traits.version;
  }

  abstract refusal(network: CniNetwork): string | undefined;
  abstract networkStatus(): NetworkStatus;
  abstract status(done: (status: NetworkStatus) => void): void;
  abstract loadStatus(): string;
  abstract loadedNetworks(): readonly LoadedNetwork[];
  abstract runPodSandbox(
    request: SandboxRequest,
    options: RunOptions,
    done: (result: SandboxResult) => void,
  ): void;
  abstract adopt(request: SandboxRequest): SandboxResult;
  abstract stopSandbox(id: string, done: (result: StopResult) => void): void;
  abstract removePodSandbox(id: string, done: (result: StopResult) => void): void;
  abstract hostPortTarget(protocol: string, hostPort: number): string | undefined;
  /** Reads the directory and watches it. */
  protected abstract start(): void;

  runSandbox(request: SandboxRequest, done: (result: SandboxResult) => void): void {
    this.runPodSandbox(request, {}, done);
  }

  removeSandbox(id: string): void {
    this.removePodSandbox(id, () => undefined);
  }

  sandboxOf(podUid: string): { readonly id: string; readonly ip: string | undefined } | undefined {
    return this.sandboxes.liveOf(podUid);
  }

  sandboxState(id: string): SandboxState | undefined {
    const sandbox = this.sandboxes.get(id);
    return sandbox === undefined ? undefined : stateOf(sandbox);
  }

  sandboxStates(): readonly SandboxState[] {
    return [...this.sandboxes.all()].map(stateOf);
  }

  loseNetns(id: string): void {
    const sandbox = this.sandboxes.get(id);
    if (sandbox !== undefined) this.closeNetns(sandbox);
  }

  onStatusChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  protected tellChange(): void {
    for (const listener of this.listeners) listener();
  }

  protected newSandbox(request: SandboxRequest, attempt: number): Sandbox {
    return new Sandbox(this.sandboxes, request, attempt);
  }

  /** The sandbox has its network: it is made, unless the call ended meanwhile. */
  protected finish(sandbox: Sandbox, answer: Answer<SandboxResult>): void {
    this.options.kernel.after(this.options.constants.sandboxCreateMs, () => {
      if (!answer.open) return;
      sandbox.ready = true;
      this.sandboxes.add(sandbox);
      answer.give({ ok: true, id: sandbox.handle, ip: sandbox.ip, plugin: pluginOf(sandbox) });
    });
  }

  /** The sandbox's network namespace goes, and its interfaces with it. */
  protected closeNetns(sandbox: Sandbox): void {
    sandbox.hasNetns = false;
    this.links.unplug(sandbox);
  }

  protected detach(sandbox: Sandbox): void {
    const { network } = this.options;
    const { podUid } = sandbox.request;
    // A newer sandbox of the same pod has the attachment by now.
    if (network?.attachmentOf(podUid)?.ip === sandbox.ip) network?.detach(podUid);
  }

  /** DEL went to whatever is loaded now; what host-local gave for another network stays on disk. */
  protected noteLeak({ leases: lease }: Sandbox, because: readonly OccurrenceId[]): void {
    if (lease === undefined || lease.store.leakedBecause !== undefined) return;
    const { kernel, node } = this.options;
    lease.store.leakedBecause = kernel.because([], () =>
      kernel.occur('host-local.lease-leaked', {
        node,
        message: `${lease.address} stays reserved on ${node} for a sandbox that was torn down: DEL was not given to the network it is of`,
        because,
      }),
    );
  }

  // ---------------------------------------------------------------- process and machine

  /** Pods run on; what was being done is lost, and the directory is read and watched anew. */
  restart(): void {
    if (!this.powered) return;
    this.end();
    this.begin();
  }

  powerLost(): void {
    this.powered = false;
    this.inFlight.drop();
    this.end();
    this.sandboxes.endAll();
    this.links.powerLost();
  }

  powerOn(): void {
    this.begin();
  }

  install(version: string): void {
    this.installed = version;
  }

  get places(): CniPaths {
    return this.options;
  }

  halt(): void {
    if (this.running) this.end();
  }

  begin(places?: CniPaths): void {
    if (places !== undefined) {
      this.options = { ...this.options, ...places };
      this.host.lookIn(places.binDirectories);
    }
    this.powered = true;
    this.traits = runtimeTraits(this.traits.kind, this.installed);
    this.start();
  }

  protected end(): void {
    this.running = false;
    this.monitor?.stop();
    this.inFlight.fail('error reading from server: EOF');
  }
}
