/**
 * CRI-O: takes the first whole conf whose plugins it finds, waits in RunPodSandbox until a network was
 * ready once, checks what ADD made, and runs DEL with the configuration of ADD
 * (`cri-o:server/sandbox_network.go@v1.33.0`, `cri-o:internal/config/cnimgr/cnimgr.go@v1.33.0`,
 * `ocicni:pkg/ocicni/ocicni.go@v0.4.3`; truth: CRI-O 1.33.0).
 */
import type { CniNetwork } from '../../knowledge/cni-conf.ts';
import { type LoadedNetwork, selectNetworks } from '../../knowledge/cni-selection.ts';
import type { NetworkStatus, SandboxRequest, SandboxResult, StopResult } from '../world.ts';
import { ConfMonitor } from './conf-monitor.ts';
import { confDirectoryOf } from './conf-reader.ts';
import type { Answer } from './in-flight.ts';
import { type CniAnswer, LibCni, netnsPath } from './libcni.ts';
import { recordLoad } from './load-record.ts';
import type { HostPortRule } from './node-links.ts';
import type { RunOptions, RuntimeOptions, SandboxState } from './node-runtime.ts';
import { Ocicni, crioName, nameAndId } from './ocicni.ts';
import type { CniResult } from './plugin-call.ts';
import { ReloadLock } from './reload-lock.ts';
import { type Run, Waiting } from './run.ts';
import { NOT_RUNNING, RuntimeBase, notReady } from './runtime-base.ts';
import type { Sandbox } from './sandbox-store.ts';
import { attachmentFor, failedRun, pluginOf, setAddresses, stateOf } from './sandbox-views.ts';

const READY: NetworkStatus = { ready: true, reason: '', message: '', because: [] };
const STOPPED: StopResult = { ok: true };
const UNINITIALIZED = 'plugin status uninitialized';

export class Crio extends RuntimeBase {
  readonly name = 'cri-o';
  private cni: Ocicni;
  private readonly calls: ReloadLock;
  private readonly stopped = new Set<string>();
  private readonly ports: HostPortRule[] = [];
  private waiters: (() => void)[] = [];
  /** Why it is not ready yet; undefined for good once it was (`pollUntilReady`). */
  private lastError: string | undefined = UNINITIALIZED;
  private startedAt = 0;
  private starts = 0;
  private polling = false;

  constructor(options: RuntimeOptions) {
    super('cri-o', options);
    this.cni = this.freshCni();
    this.calls = new ReloadLock(options.kernel, false);
    this.start();
  }

  private freshCni(): Ocicni {
    return new Ocicni(new LibCni(this.traits.library, this.host));
  }

  refusal(network: CniNetwork): string | undefined {
    return this.cni.problemOf(network);
  }

  // ---------------------------------------------------------------- conf

  protected start(): void {
    const { files, confDirectory, binDirectories, kernel, constants, trace } = this.options;
    this.running = true;
    this.starts += 1;
    const before = this.cni.selection;
    this.cni = this.freshCni();
    this.cni.selection = before;
    this.lastError = UNINITIALIZED;
    this.startedAt = kernel.now();
    for (const path of [confDirectory, ...binDirectories]) {
      if (!files.exists(path)) files.mkdir(path, 0o755);
    }
    this.monitor = new ConfMonitor({
      node: this.options.node,
      kernel,
      files,
      latencyMs: constants.confReloadMs,
      directories: [confDirectory, ...binDirectories],
      reacts: ({ kind, name }, directory) => {
        if (kind === 'CHMOD') return false;
        if (kind !== 'REMOVE') return true;
        return directory === confDirectory && name === this.cni.selection.networks[0]?.file;
      },
      reload: () => this.load(),
      ...(trace?.event === undefined ? {} : { onEvent: trace.event }),
    });
    this.load();
    this.restoreAddresses();
    if (kernel.now() > 0) this.pollLater();
  }

  private load(): void {
    const { files, confDirectory, kernel, node, maxConfNum = 1 } = this.options;
    const before = this.cni.selection;
    this.cni.selection = selectNetworks(this.traits, confDirectoryOf(files, confDirectory), {
      maxConfNum,
      refuse: (network) => this.refusal(network),
    });
    const runtime = `CRI-O ${this.version}`;
    const record = { kernel, files, node, runtime, confDirectory };
    this.cni.selectedBecause = recordLoad(record, before, this.cni.selection);
    // Before the clock starts, a node has been up for long.
    if (kernel.now() === 0) this.poll(this.starts);
    else if (before.networks.length === 0) this.pollLater();
    this.tellChange();
  }

  /** Looks again at the next of its half seconds, but only when looking can help. */
  private pollLater(): void {
    const { kernel, constants } = this.options;
    if (this.polling || this.lastError === undefined) return;
    this.polling = true;
    const { starts } = this;
    const since = kernel.now() - this.startedAt;
    const period = constants.crioReadyPollMs;
    const wait = period - (since % period);
    kernel.after(wait, () => this.poll(starts));
  }

  private poll(starts: number): void {
    if (starts !== this.starts || !this.running) return;
    this.polling = false;
    const answer = this.cni.status();
    if (answer instanceof Waiting || !answer.ok) {
      this.lastError = answer instanceof Waiting ? UNINITIALIZED : answer.message;
      this.tellChange();
      // Without a network there is nothing to ask until a load finds one.
      if (this.cni.defaultNetwork !== undefined) this.pollLater();
      return;
    }
    this.cni.collectGarbage((id) => this.sandboxes.get(id) !== undefined);
    this.lastError = undefined;
    const { waiters } = this;
    this.waiters = [];
    for (const proceed of waiters) proceed();
    this.tellChange();
  }

  /** The addresses of running pods are asked for anew, on the default network (truth:L20). */
  private restoreAddresses(): void {
    for (const sandbox of this.sandboxes.all()) {
      if (sandbox.request.hostNetwork || !sandbox.hasNetns || this.cni.knows(sandbox)) continue;
      // The interface keeps its address; CRI-O no longer knows it.
      sandbox.others ??= stateOf(sandbox).addresses;
      sandbox.ip = undefined;
    }
  }

  // ---------------------------------------------------------------- status

  networkStatus(): NetworkStatus {
    if (!this.running) return NOT_RUNNING;
    if (this.lastError === undefined) return READY;
    return {
      ready: false,
      reason: 'NetworkPluginNotReady',
      message: notReady(this.lastError),
      because: this.cni.selectedBecause,
    };
  }

  status(done: (status: NetworkStatus) => void): void {
    done(this.networkStatus());
  }

  loadStatus(): string {
    return this.cni.selection.status;
  }

  /** The default network; others are loaded, and no pod gets them. */
  loadedNetworks(): readonly LoadedNetwork[] {
    return this.cni.selection.networks.slice(0, 1);
  }

  // ---------------------------------------------------------------- run

  runPodSandbox(
    request: SandboxRequest,
    options: RunOptions,
    done: (result: SandboxResult) => void,
  ): void {
    if (!this.running) {
      done(failedRun('connection error: cri-o is not running', []));
      return;
    }
    const attempt = options.attempt ?? 0;
    const there = this.sandboxes.holderOf(request, attempt);
    if (there?.ready === true) {
      done({ ok: true, id: there.handle, ip: there.ip, plugin: pluginOf(there) });
      return;
    }
    if (there !== undefined && this.sandboxes.get(there.id) === undefined) {
      done(failedRun(`error reserving pod name ${crioName(request, attempt)}`, []));
      return;
    }
    const sandbox = this.newSandbox(request, attempt);
    this.sandboxes.reserve(sandbox);
    const answer = this.inFlight.begin(done);
    const go = (): void => {
      if (answer.open) this.setUp(sandbox, answer);
    };
    if (request.hostNetwork || this.lastError === undefined) go();
    else this.waiters.push(go);
    if (options.timeoutMs === undefined) return;
    this.options.kernel.after(options.timeoutMs, () => {
      if (!answer.open) return;
      answer.give(failedRun('context deadline exceeded', []));
      this.sandboxes.release(sandbox);
    });
  }

  adopt(request: SandboxRequest): SandboxResult {
    this.monitor?.settle();
    const sandbox = this.newSandbox(request, 0);
    if (!request.hostNetwork) {
      const answer = this.cni.setUp(sandbox);
      if (answer instanceof Waiting) return failedRun('a plugin has to wait', []);
      if (!answer.ok) return failedRun(answer.message, answer.because);
      this.take(sandbox, answer.network, answer.result);
    }
    this.sandboxes.reserve(sandbox);
    sandbox.ready = true;
    this.sandboxes.add(sandbox);
    return { ok: true, id: sandbox.handle, ip: sandbox.ip, plugin: pluginOf(sandbox) };
  }

  private setUp(sandbox: Sandbox, answer: Answer<SandboxResult>): void {
    if (sandbox.request.hostNetwork) {
      this.finish(sandbox, answer);
      return;
    }
    this.calls.read(
      () => this.cni.setUp(sandbox),
      (started) => {
        if (started.ok) {
          this.take(sandbox, started.network, started.result);
          this.finish(sandbox, answer);
        } else this.cleanUp(sandbox, failedRun(started.message, started.because), answer);
      },
    );
  }

  private cleanUp(sandbox: Sandbox, refused: SandboxResult, answer: Answer<SandboxResult>): void {
    this.calls.read(
      () => this.tearDown(sandbox),
      () => {
        this.closeNetns(sandbox);
        this.options.kernel.after(this.options.constants.failedAddCleanUpMs, () => {
          this.sandboxes.release(sandbox);
          answer.give(refused);
        });
      },
    );
  }

  private take(sandbox: Sandbox, network: CniNetwork, result: CniResult | undefined): void {
    const addresses = result?.addresses ?? [];
    setAddresses(
      sandbox,
      addresses.map(({ address, onInterface }) => ({
        name: onInterface === undefined ? 'eth0' : (result?.interfaces[onInterface] ?? 'eth0'),
        address,
      })),
    );
    sandbox.network = network;
    sandbox.defaultRoute = result?.defaultRoute === true;
    sandbox.hasResult = true;
    if (sandbox.ip === undefined) return;
    this.options.network?.attach(attachmentFor(sandbox, sandbox.ip));
    this.addPorts(sandbox, sandbox.ip);
  }

  /** CRI-O manages host ports itself and tells plugins of none (truth:L16, L17). */
  private addPorts(sandbox: Sandbox, ip: string): void {
    for (const { hostPort, containerPort, protocol } of sandbox.request.hostPorts) {
      this.ports.unshift({
        network: sandbox.network?.name ?? '',
        containerId: sandbox.id,
        protocol: protocol.toLowerCase(),
        hostPort,
        to: `${ip}:${containerPort}`,
      });
    }
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
    this.networkStop(sandbox, (result) => {
      this.options.kernel.after(result.ok ? delay : 0, () => {
        if (result.ok) this.sandboxes.ended(sandbox);
        answer.give(result);
      });
    });
  }

  removePodSandbox(id: string, done: (result: StopResult) => void): void {
    const sandbox = this.sandboxes.get(id);
    if (sandbox === undefined || !this.running) {
      done(STOPPED);
      return;
    }
    this.networkStop(sandbox, (result) => {
      if (result.ok) {
        this.sandboxes.delete(sandbox);
        this.stopped.delete(sandbox.id);
        this.sandboxes.release(sandbox);
      }
      done(result.ok ? result : { ...result, message: `stop pod network: ${result.message}` });
    });
  }

  private networkStop(sandbox: Sandbox, done: (result: StopResult) => void): void {
    if (sandbox.request.hostNetwork || this.stopped.has(sandbox.id)) {
      done(STOPPED);
      return;
    }
    this.calls.read(
      () => this.tearDown(sandbox),
      (removed) => {
        if (!removed.ok) {
          const message = `failed to destroy network for pod sandbox ${nameAndId(sandbox)}: ${removed.message}: ${leftNetns(sandbox)}`;
          done({ ok: false, message, because: removed.because });
          return;
        }
        this.stopped.add(sandbox.id);
        this.closeNetns(sandbox);
        this.detach(sandbox);
        this.noteLeak(sandbox, this.cni.selectedBecause);
        done(STOPPED);
      },
    );
  }

  private tearDown(sandbox: Sandbox): Run<CniAnswer> {
    for (let index = this.ports.length - 1; index >= 0; index -= 1) {
      if (this.ports[index]?.containerId === sandbox.id) this.ports.splice(index, 1);
    }
    return this.cni.tearDown(sandbox);
  }

  /** CRI-O remembers the address of a stopped sandbox (truth:L02). */
  override sandboxState(id: string): SandboxState | undefined {
    const sandbox = this.sandboxes.get(id);
    if (sandbox === undefined) return undefined;
    return { ...stateOf(sandbox), ip: sandbox.ip ?? '' };
  }

  hostPortTarget(protocol: string, hostPort: number): string | undefined {
    return this.ports.find((rule) => rule.hostPort === hostPort && rule.protocol === protocol)?.to;
  }

  protected override end(): void {
    super.end();
    this.calls.reset();
    this.waiters = [];
    this.polling = false;
    this.sandboxes.releaseUnfinished();
  }

  override powerLost(): void {
    super.powerLost();
    this.ports.length = 0;
  }
}

/** What keeps a failed teardown from counting as done: the namespace is pinned, or already gone. */
function leftNetns(sandbox: Sandbox): string {
  const path = netnsPath(sandbox.id);
  return !sandbox.hasNetns
    ? `stat netns path "${path}": stat ${path}: no such file or directory`
    : `failed to remove netns path: unlinkat ${path}: device or resource busy`;
}
