/**
 * One container of a pod over all its restarts: its state, its process, its probes and its
 * crash-loop back-off (KK kuberuntime_manager.go doBackOff: the first restart is immediate, then
 * 10 s doubling to 300 s).
 */
import type { Container, ContainerStatus, PodObject } from '../../model/kubernetes.ts';
import type { ContainerLog, PathVerdict, Process, ProcessHost, TwinNode, World } from '../world.ts';
import { PrintedLines } from './container-log.ts';
import { ContainerProbes, type ProbesStart } from './container-probes.ts';
import { needsPath } from './health-probe.ts';
import type { KubeletContext } from './kubelet-context.ts';
import type { ContainerState, ContainerView } from './pod-status.ts';

/** The pod worker, as its containers see it. */
export interface ContainerOwner {
  readonly context: KubeletContext;
  readonly pod: PodObject;
  /** Whether the host reaches the pod; undefined while nobody has looked. */
  readonly path: PathVerdict | undefined;
  /** When this kubelet began to probe the pod (virtual milliseconds); minus infinity for long ago. */
  readonly probedSince: number;
  /** Something that the pod's status shows has changed. */
  containerChanged(): void;
  containerEnded(run: ContainerRun, exitCode: number, message: string | undefined): void;
  /** A probe wants the container ended and started again. */
  containerUnhealthy(run: ContainerRun, probe: 'liveness' | 'startup'): void;
}

export type ContainerRole = 'main' | 'init' | 'sidecar';

export class ContainerRun implements ContainerView {
  readonly owner: ContainerOwner;
  readonly container: Container;
  readonly role: ContainerRole;
  state: ContainerState;
  restartCount = 0;
  hasRun = false;
  /** It has ended and a restart is under way. */
  restartPlanned = false;
  processReady = false;
  processLive = true;
  private host: RunningProcess | undefined;
  private probes: ContainerProbes | undefined;
  /** Of the run now, or the last; made when something is printed or somebody looks. */
  private printed: PrintedLines | undefined;
  private printedBefore: PrintedLines | undefined;
  private startedAt = -Infinity;
  private backOffMs = 0;
  private backOffAt = 0;

  constructor(owner: ContainerOwner, container: Container, role: ContainerRole, waiting: string) {
    this.owner = owner;
    this.container = container;
    this.role = role;
    this.state = { kind: 'waiting', reason: waiting };
  }

  get process(): Process | undefined {
    return this.host?.process;
  }

  get running(): boolean {
    return this.state.kind === 'running';
  }

  get ready(): boolean {
    if (this.role === 'init') return this.done;
    return this.running && this.probes?.ready === true;
  }

  /** An init container that has ended well, or a sidecar that is up. */
  get done(): boolean {
    if (this.role === 'sidecar') return this.running && this.probes?.startedUp === true;
    return this.state.kind === 'terminated' && this.state.exitCode === 0;
  }

  get name(): string {
    return this.container.name;
  }

  get started(): boolean {
    return this.running && this.probes?.startedUp === true;
  }

  get once(): boolean {
    return this.role === 'init';
  }

  /** Starts the process. */
  launch(): void {
    const { context, pod } = this.owner;
    if (this.hasRun) this.restartCount += 1;
    this.printedBefore = this.printed;
    this.printed = undefined;
    this.hasRun = true;
    this.state = { kind: 'running', startedAt: context.world.store.timestamp() };
    this.processReady = false;
    this.processLive = true;
    this.startedAt = context.kernel.now();
    this.probe({ startedAt: this.startedAt, startedUp: false, ready: false });
    this.run(new RunningProcess(this, pod, false));
    this.reconsider();
  }

  /** Takes over a container that ran before the twin started, in the state its status shows. */
  adopt(status: ContainerStatus | undefined): void {
    this.restartCount = status?.restartCount ?? 0;
    const { waiting, running, terminated } = status?.state ?? { running: {} };
    if (terminated !== undefined) {
      this.hasRun = true;
      this.state = { kind: 'terminated', reason: 'Completed', ...terminated };
      return;
    }
    if (waiting !== undefined && running === undefined) {
      this.state = { kind: 'waiting', reason: waiting.reason ?? 'ContainerCreating' };
      this.hasRun = this.restartCount > 0;
      return;
    }
    const { pod } = this.owner;
    this.hasRun = true;
    this.state = { kind: 'running', startedAt: running?.startedAt ?? pod.status.startTime ?? '' };
    this.processReady = status?.ready ?? true;
    this.probe({ startedAt: this.startedAt, startedUp: true, ready: this.processReady });
    this.run(new RunningProcess(this, pod, true));
  }

  /** Ends the process; what it would still say is not heard. */
  stop(reason: 'terminated' | 'power-lost'): void {
    this.probes?.end();
    const { host } = this;
    this.host = undefined;
    if (host !== undefined && !host.ended) {
      host.ended = true;
      host.process?.stop(reason);
    }
    this.printed?.end();
  }

  terminated(exitCode: number, reason: string, message?: string): void {
    this.stop('terminated');
    this.state =
      message === undefined
        ? { kind: 'terminated', exitCode, reason }
        : { kind: 'terminated', exitCode, reason, message };
  }

  waitFor(reason: string, message?: string): void {
    this.state =
      message === undefined ? { kind: 'waiting', reason } : { kind: 'waiting', reason, message };
  }

  /** How long the next restart waits; grows with each. Zero for the first. */
  nextBackOff(): number {
    const { crashLoopFirstMs, crashLoopMaxMs, crashLoopResetMs } =
      this.owner.context.world.constants;
    const now = this.owner.context.kernel.now();
    if (now - this.backOffAt > crashLoopResetMs) this.backOffMs = 0;
    const wait = this.backOffMs;
    this.backOffMs = wait === 0 ? crashLoopFirstMs : Math.min(crashLoopMaxMs, wait * 2);
    this.backOffAt = now + wait;
    return wait;
  }

  exited(exitCode: number, message: string | undefined): void {
    this.probes?.end();
    this.host = undefined;
    if (message !== undefined) this.print(message);
    this.printed?.end();
    this.owner.containerEnded(this, exitCode, message);
  }

  print(text: string): void {
    this.logNow().print({ at: this.owner.context.kernel.now(), text });
  }

  /** What was printed in a run; undefined where there was none. */
  log(which: 'latest' | 'previous'): ContainerLog | undefined {
    if (which === 'latest') return this.hasRun ? this.logNow() : undefined;
    if (this.printedBefore !== undefined || this.restartCount === 0) return this.printedBefore;
    const silent = new PrintedLines();
    silent.end();
    return silent;
  }

  private logNow(): PrintedLines {
    if (this.printed === undefined) {
      this.printed = new PrintedLines();
      if (this.hasRun && this.state.kind !== 'running') this.printed.end();
    }
    return this.printed;
  }

  setReady(ready: boolean): void {
    if (this.processReady === ready) return;
    this.processReady = ready;
    this.reconsider();
  }

  setLive(live: boolean): void {
    if (this.processLive === live) return;
    this.processLive = live;
    this.reconsider();
  }

  get probedOverPath(): boolean {
    const { readinessProbe, livenessProbe, startupProbe } = this.container;
    return needsPath(readinessProbe) || needsPath(livenessProbe) || needsPath(startupProbe);
  }

  /** Looks again at what the probes see: the process has said something, or the path changed. */
  reconsider(): void {
    if (this.running) this.probes?.reconsider();
  }

  /** The pod's status has been built anew. */
  statusBuilt(): void {
    if (this.running) this.probes?.statusBuilt();
  }

  /** The kubelet has started again, with new workers for the probes; whether its status changed. */
  probeAnew(keepsResults: boolean): boolean {
    if (!this.running || this.probes === undefined) return false;
    const { ready, startedUp } = this.probes;
    this.probe({
      startedAt: this.startedAt,
      startedUp: keepsResults && startedUp,
      ready: keepsResults && ready,
    });
    this.reconsider();
    return this.probes.ready !== ready || this.probes.startedUp !== startedUp;
  }

  private probe(start: ProbesStart): void {
    this.probes?.end();
    this.probes = new ContainerProbes(this, start);
  }

  private run(host: RunningProcess): void {
    this.host = host;
    const { context, pod } = this.owner;
    const process = context.programFor(pod, this.container)(host);
    if (!host.ended) host.process = process;
  }
}

/** One life of the container, as its program sees it. */
class RunningProcess implements ProcessHost {
  readonly pod: PodObject;
  readonly adopted: boolean;
  ended = false;
  process: Process | undefined;
  private readonly owner: ContainerRun;

  constructor(owner: ContainerRun, pod: PodObject, adopted: boolean) {
    this.owner = owner;
    this.pod = pod;
    this.adopted = adopted;
  }

  get world(): World {
    return this.owner.owner.context.world;
  }

  get node(): TwinNode {
    return this.owner.owner.context.node;
  }

  get container(): Container {
    return this.owner.container;
  }

  get init(): boolean {
    return this.owner.role !== 'main';
  }

  log(line: string): void {
    if (!this.ended) this.owner.print(line);
  }

  exit(code: number, message?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.owner.exited(code, message);
  }

  setReady(ready: boolean): void {
    if (!this.ended) this.owner.setReady(ready);
  }

  setLive(live: boolean): void {
    if (!this.ended) this.owner.setLive(live);
  }
}
