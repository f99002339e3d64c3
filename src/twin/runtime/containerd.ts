/**
 * containerd's CRI service: sandboxes, their network, and what it remembers
 * (`containerd:internal/cri/server/sandbox_{run,stop,remove}.go@v2.0.5` and the other lines by the
 * traits of `cni-runtimes.ts`; truth groups L, R, T).
 */
import { type LoadedNetwork, selectNetworks } from '../../knowledge/cni-selection.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { NetworkStatus, SandboxRequest, SandboxResult, StopResult } from '../world.ts';
import { ConfMonitor } from './conf-monitor.ts';
import { confDirectoryOf } from './conf-reader.ts';
import { GoCni, type SetupAnswer } from './go-cni.ts';
import type { Answer } from './in-flight.ts';
import { type CniAnswer, LibCni } from './libcni.ts';
import { recordLoad } from './load-record.ts';
import type { RunOptions, RuntimeOptions } from './node-runtime.ts';
import { Waiting } from './run.ts';
import { NOT_RUNNING, RuntimeBase, notReady } from './runtime-base.ts';
import type { Sandbox } from './sandbox-store.ts';
import { attachmentFor, failedRun, joinCauses, pluginOf, sandboxName } from './sandbox-views.ts';

const READY: NetworkStatus = { ready: true, reason: '', message: '', because: [] };
const STOPPED: StopResult = { ok: true };

export class Containerd extends RuntimeBase {
  readonly name = 'containerd';
  /** Kept after a failed attempt whose clean-up failed too, by pod UID. */
  private readonly leftOver = new Map<string, Set<Sandbox>>();
  private cni: GoCni;
  private selectedBecause: readonly OccurrenceId[] = [];
  private lastStatus: NetworkStatus = READY;

  constructor(options: RuntimeOptions) {
    super('containerd', options);
    this.cni = this.freshCni();
    this.start();
  }

  refusal(): undefined {
    return undefined;
  }

  // ---------------------------------------------------------------- conf

  private freshCni(): GoCni {
    const library = new LibCni(this.traits.library, this.host);
    return new GoCni(library, this.traits, this.options.internalLoopback === true);
  }

  protected start(): void {
    const { files, confDirectory, kernel, constants, trace } = this.options;
    this.running = true;
    const before = this.cni.selection;
    this.cni = this.freshCni();
    this.cni.loaded(before);
    // `newCNINetConfSyncer`: the parent 0755, the directory itself 0700 (truth:F10).
    if (!files.exists(confDirectory)) files.mkdir(confDirectory, 0o700);
    this.monitor = new ConfMonitor({
      node: this.options.node,
      kernel,
      files,
      latencyMs: constants.confReloadMs,
      directories: [confDirectory],
      reacts: ({ kind, name }) => {
        if (kind === 'CREATE' || kind === 'CHMOD') return false;
        if (name === '' && this.traits.exitsWithDirectory) this.exitSoon();
        return true;
      },
      reload: () => this.cni.lock.write(() => this.load()),
      ...(trace?.event === undefined ? {} : { onEvent: trace.event }),
    });
    this.load();
  }

  private load(): void {
    const { files, confDirectory, kernel, node, maxConfNum = 1 } = this.options;
    const before = this.cni.selection;
    const selection = selectNetworks(this.traits, confDirectoryOf(files, confDirectory), {
      maxConfNum,
    });
    this.cni.loaded(selection);
    const runtime = `containerd ${this.version}`;
    const record = { kernel, files, node, runtime, confDirectory };
    this.selectedBecause = recordLoad(record, before, selection);
    this.tellChange();
  }

  /** The monitor's error ends the CRI service; somebody starts it again (truth:W18, W19). */
  private exitSoon(): void {
    const { kernel, constants, node } = this.options;
    kernel.after(constants.confReloadMs, () => {
      if (!this.running) return;
      this.end();
      kernel.occur('containerd.exited', {
        node,
        message: 'cni network conf monitor error: cni conf dir is removed, stop watching',
      });
      this.tellChange();
      kernel.after(constants.runtimeRestartMs, () => {
        if (!this.running && this.powered) this.start();
      });
    });
  }

  // ---------------------------------------------------------------- status

  networkStatus(): NetworkStatus {
    if (!this.running) return NOT_RUNNING;
    if (this.cni.lock.blocked) return this.lastStatus;
    const answer = this.cni.status();
    if (answer.ok === undefined) return this.lastStatus;
    if (answer.ok) this.lastStatus = READY;
    else if (this.lastStatus.message !== notReady(answer.message)) {
      const because = joinCauses(answer.because, this.selectedBecause);
      this.lastStatus = {
        ready: false,
        reason: 'NetworkPluginNotReady',
        message: notReady(answer.message),
        because,
      };
    }
    return this.lastStatus;
  }

  status(done: (status: NetworkStatus) => void): void {
    if (!this.running) {
      done(NOT_RUNNING);
      return;
    }
    this.cni.lock.read(
      () => this.cni.status(),
      () => done(this.networkStatus()),
    );
  }

  loadStatus(): string {
    return this.cni.selection.status;
  }

  loadedNetworks(): readonly LoadedNetwork[] {
    return this.cni.networks();
  }

  // ---------------------------------------------------------------- run

  runPodSandbox(
    request: SandboxRequest,
    options: RunOptions,
    done: (result: SandboxResult) => void,
  ): void {
    if (!this.running) {
      done(failedRun('connection error: containerd is not running', []));
      return;
    }
    if (options.attempt === undefined) this.dropLeftOver(request.podUid);
    const attempt = options.attempt ?? 0;
    const holder = this.sandboxes.holderOf(request, attempt);
    if (holder !== undefined) {
      done(failedRun(nameTaken(sandboxName(request, attempt), holder.id), []));
      return;
    }
    const sandbox = this.newSandbox(request, attempt);
    this.sandboxes.reserve(sandbox);
    const answer = this.inFlight.begin(done);
    if (request.hostNetwork) {
      this.finish(sandbox, answer);
      return;
    }
    const operation = this.cni.lock.read(
      () => this.cni.setup(sandbox),
      (setup) => this.afterSetup(sandbox, setup, answer),
    );
    if (options.timeoutMs === undefined) return;
    this.options.kernel.after(options.timeoutMs, () => {
      if (!answer.open) return;
      answer.give(failedRun('context deadline exceeded', []));
      operation.kill();
    });
  }

  adopt(request: SandboxRequest): SandboxResult {
    this.monitor?.settle();
    const sandbox = this.newSandbox(request, 0);
    if (!request.hostNetwork) {
      const setup = this.cni.setup(sandbox);
      if (setup.ok === undefined) return failedRun('a plugin has to wait', []);
      const refused = this.take(sandbox, setup);
      if (refused !== undefined) return refused;
    }
    this.sandboxes.reserve(sandbox);
    sandbox.ready = true;
    this.sandboxes.add(sandbox);
    return { ok: true, id: sandbox.handle, ip: sandbox.ip, plugin: pluginOf(sandbox) };
  }

  private afterSetup(sandbox: Sandbox, setup: SetupAnswer, answer: Answer<SandboxResult>): void {
    const refused = this.take(sandbox, setup);
    if (refused === undefined) this.finish(sandbox, answer);
    else this.cleanUp(sandbox, refused, answer);
  }

  /** Takes over what ADD gave; the failure when it gave nothing for eth0 (truth:A12, A29). */
  private take(sandbox: Sandbox, setup: SetupAnswer): SandboxResult | undefined {
    if (!setup.ok) return this.refused(sandbox, setup.message, setup.because);
    const { ip } = setup;
    if (ip === undefined) {
      return this.refused(sandbox, `failed to find network info for sandbox "${sandbox.id}"`, []);
    }
    sandbox.ip = ip;
    sandbox.others = setup.others;
    sandbox.network = setup.network;
    sandbox.defaultRoute = setup.defaultRoute;
    sandbox.hasResult = true;
    this.options.network?.attach(attachmentFor(sandbox, ip));
    return undefined;
  }

  private refused(
    { id }: Sandbox,
    message: string,
    because: readonly OccurrenceId[],
  ): SandboxResult {
    return failedRun(
      `failed to setup network for sandbox "${id}": ${message}`,
      joinCauses(because, this.selectedBecause),
    );
  }

  /** A failed ADD is followed by DEL, through whatever is loaded by then (truth:T05, L12). */
  private cleanUp(sandbox: Sandbox, refused: SandboxResult, answer: Answer<SandboxResult>): void {
    if (!refused.ok) this.options.trace?.log?.(refused.message);
    this.cni.lock.read(
      () => this.cni.remove(sandbox),
      (removed) => {
        const keeps = !removed.ok && this.traits.failedCleanUp === 'keep';
        if (keeps) this.keep(sandbox);
        else this.closeNetns(sandbox);
        this.options.kernel.after(this.options.constants.failedAddCleanUpMs, () => {
          if (!keeps) this.sandboxes.release(sandbox);
          if (answer.open) answer.give(refused);
        });
      },
    );
  }

  private keep(sandbox: Sandbox): void {
    this.sandboxes.add(sandbox);
    const { podUid } = sandbox.request;
    const kept = this.leftOver.get(podUid) ?? new Set<Sandbox>();
    this.leftOver.set(podUid, kept.add(sandbox));
  }

  /** What a kubelet does before its next attempt: earlier failed sandboxes are stopped and removed. */
  private dropLeftOver(podUid: string): void {
    for (const sandbox of this.leftOver.get(podUid) ?? []) this.forget(sandbox);
  }

  // ---------------------------------------------------------------- stop and remove

  stopSandbox(id: string, done: (result: StopResult) => void): void {
    const sandbox = this.sandboxes.get(id);
    if (sandbox === undefined || !this.running) {
      done(STOPPED);
      return;
    }
    const answer = this.inFlight.begin(done);
    const delay = sandbox.ready ? this.options.constants.sandboxStopMs : 0;
    this.options.kernel.after(delay, () => {
      if (!answer.open) return;
      this.sandboxes.ended(sandbox);
      this.tearDown(sandbox, (result) => answer.give(result));
    });
  }

  private tearDown(sandbox: Sandbox, done: (result: StopResult) => void): void {
    const first = this.beginTearDown(sandbox);
    if (first?.ok !== undefined) {
      done(first);
      return;
    }
    this.cni.lock.read(
      () => first ?? this.cni.remove(sandbox),
      (removed) => done(this.tornDown(sandbox, removed)),
    );
  }

  /** The answer where it needs no waiting; undefined when a reload is waited for. */
  private beginTearDown(sandbox: Sandbox): StopResult | Waiting<CniAnswer> | undefined {
    const { stopWithoutResult } = this.traits;
    if (sandbox.request.hostNetwork || (!sandbox.hasResult && stopWithoutResult === 'skipped')) {
      this.closeNetns(sandbox);
      return STOPPED;
    }
    if (this.cni.lock.blocked) return undefined;
    const removed = this.cni.remove(sandbox);
    return removed.ok === undefined ? removed : this.tornDown(sandbox, removed);
  }

  private tornDown(sandbox: Sandbox, removed: CniAnswer): StopResult {
    const counts = sandbox.hasResult || this.traits.stopWithoutResult === 'required';
    if (!removed.ok && counts) {
      const message = `failed to destroy network for sandbox "${sandbox.id}": ${removed.message}`;
      return { ok: false, message, because: joinCauses(removed.because, this.selectedBecause) };
    }
    this.closeNetns(sandbox);
    this.detach(sandbox);
    this.noteLeak(sandbox, this.selectedBecause);
    return STOPPED;
  }

  removePodSandbox(id: string, done: (result: StopResult) => void): void {
    const sandbox = this.sandboxes.get(id);
    if (sandbox === undefined || !this.running) {
      done(STOPPED);
      return;
    }
    this.sandboxes.ended(sandbox);
    const first = this.beginTearDown(sandbox);
    if (first?.ok !== undefined) {
      done(this.removed(sandbox, first));
      return;
    }
    this.cni.lock.read(
      () => first ?? this.cni.remove(sandbox),
      (removed) => done(this.removed(sandbox, this.tornDown(sandbox, removed))),
    );
  }

  private removed(sandbox: Sandbox, stopped: StopResult): StopResult {
    if (stopped.ok) {
      this.forget(sandbox);
      return stopped;
    }
    const message = `failed to forcibly stop sandbox "${sandbox.id}": ${stopped.message}`;
    return { ...stopped, message };
  }

  private forget(sandbox: Sandbox): void {
    this.sandboxes.delete(sandbox);
    this.sandboxes.release(sandbox);
    if (!sandbox.hasResult) this.leftOver.get(sandbox.request.podUid)?.delete(sandbox);
  }

  // ---------------------------------------------------------------- process and machine

  hostPortTarget(protocol: string, hostPort: number): string | undefined {
    return this.links.hostPortRules.find(
      (rule) => rule.hostPort === hostPort && rule.protocol === protocol,
    )?.to;
  }

  protected override end(): void {
    super.end();
    this.cni.lock.reset();
    this.sandboxes.releaseUnfinished();
  }
}

function nameTaken(name: string, holder: string): string {
  return `failed to reserve sandbox name "${name}": name "${name}" is reserved for "${holder}"`;
}
