/**
 * One container of a pod over all its restarts: its state, its process, its probes and its
 * crash-loop back-off (KK kuberuntime_manager.go doBackOff: the first restart is immediate, then
 * 10 s doubling to 300 s).
 */
import type { Container, ContainerStatus, PodObject } from '../../model/kubernetes.ts';
import type { Timer } from '../kernel/kernel.ts';
import type { PathVerdict, Process, ProcessHost, TwinNode, World } from '../world.ts';
import { HealthProbe, needsPath } from './health-probe.ts';
import type { KubeletContext } from './kubelet-context.ts';
import type { Recurrence } from './event-recorder.ts';
import type { ContainerState, ContainerView } from './pod-status.ts';
import { phaseOf } from './rhythm.ts';

/** The pod worker, as its containers see it. */
export interface ContainerOwner {
  readonly context: KubeletContext;
  readonly pod: PodObject;
  /** Whether the host reaches the pod; undefined while nobody has looked. */
  readonly path: PathVerdict | undefined;
  /** Something that the pod's status shows has changed. */
  containerChanged(): void;
  containerEnded(run: ContainerRun, exitCode: number, message: string | undefined): void;
  /** A probe wants the container ended and started again. */
  containerUnhealthy(run: ContainerRun, probe: 'liveness' | 'startup'): void;
}

export type ContainerRole = 'main' | 'init' | 'sidecar';

export class ContainerRun {
  readonly owner: ContainerOwner;
  readonly container: Container;
  readonly role: ContainerRole;
  state: ContainerState;
  restartCount = 0;
  hasRun = false;
  /** It has ended and a restart is under way. */
  restartPlanned = false;
  private host: RunningProcess | undefined;
  private processReady = false;
  private processLive = true;
  private startedUp = false;
  private readiness: HealthProbe | undefined;
  private liveness: HealthProbe | undefined;
  private startup: HealthProbe | undefined;
  private startupLimit: Timer | undefined;
  private unhealthy: Recurrence | undefined;
  private unhealthyText = '';
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
    return this.running && this.startedUp && (this.readiness?.observed ?? true);
  }

  /** An init container that has ended well, or a sidecar that is up. */
  get done(): boolean {
    if (this.role === 'sidecar') return this.running && this.startedUp;
    return this.state.kind === 'terminated' && this.state.exitCode === 0;
  }

  view(): ContainerView {
    const { name } = this.container;
    const { state, restartCount, ready } = this;
    return { name, state, ready, restartCount, once: this.role === 'init' };
  }

  /** Starts the process. */
  launch(): void {
    const { context, pod } = this.owner;
    if (this.hasRun) this.restartCount += 1;
    this.hasRun = true;
    this.state = { kind: 'running', startedAt: context.world.store.timestamp() };
    this.processReady = false;
    this.processLive = true;
    this.startedUp = this.container.startupProbe === undefined;
    this.buildProbes(context.kernel.now(), false);
    this.limitStartup();
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
    const { context, pod } = this.owner;
    this.hasRun = true;
    this.state = { kind: 'running', startedAt: running?.startedAt ?? pod.status.startTime ?? '' };
    this.startedUp = true;
    this.processReady = status?.ready ?? true;
    const period = context.world.constants.healthProbePeriodMs;
    this.buildProbes(phaseOf(pod.metadata.uid ?? pod.metadata.name, period), this.processReady);
    this.run(new RunningProcess(this, pod, true));
  }

  /** Ends the process; what it would still say is not heard. */
  stop(reason: 'terminated' | 'power-lost'): void {
    this.endProbes();
    const { host } = this;
    this.host = undefined;
    if (host === undefined || host.ended) return;
    host.ended = true;
    host.process?.stop(reason);
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
    this.endProbes();
    this.host = undefined;
    this.owner.containerEnded(this, exitCode, message);
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
    if (!this.running) return;
    const { container } = this;
    this.startup?.aim(this.processReady && this.pathOk(needsPath(container.startupProbe)));
    if (this.startedUp) {
      this.readiness?.aim(this.processReady && this.pathOk(needsPath(container.readinessProbe)));
      this.liveness?.aim(this.processLive && this.pathOk(needsPath(container.livenessProbe)));
    }
    this.complain();
  }

  private run(host: RunningProcess): void {
    this.host = host;
    const { context, pod } = this.owner;
    const process = context.programFor(pod, this.container)(host);
    if (!host.ended) host.process = process;
  }

  private buildProbes(startedAt: number, observed: boolean): void {
    const { kernel, world } = this.owner.context;
    const common = { kernel, constants: world.constants, startedAt };
    const { readinessProbe, livenessProbe, startupProbe } = this.container;
    this.readiness =
      readinessProbe &&
      new HealthProbe({ ...common, probe: readinessProbe, observed, onTurn: () => this.turned() });
    this.liveness =
      livenessProbe &&
      new HealthProbe({
        ...common,
        probe: livenessProbe,
        observed: true,
        onTurn: (live) => {
          if (!live) this.owner.containerUnhealthy(this, 'liveness');
        },
      });
    this.startup =
      startupProbe &&
      new HealthProbe({
        ...common,
        probe: startupProbe,
        observed: this.startedUp,
        onTurn: (up) => this.startedOnce(up),
      });
  }

  private limitStartup(): void {
    const { startup, container } = this;
    if (startup === undefined) return;
    const { kernel, world } = this.owner.context;
    const tries =
      container.startupProbe?.failureThreshold ?? world.constants.healthProbeFailureCount;
    const last = startup.nextBeat() + tries * startup.period();
    this.startupLimit = kernel.after(last - kernel.now(), () => {
      if (!this.startedUp) this.owner.containerUnhealthy(this, 'startup');
    });
  }

  private startedOnce(up: boolean): void {
    if (!up || this.startedUp) return;
    this.startedUp = true;
    this.startupLimit?.cancel();
    this.reconsider();
    this.owner.containerChanged();
  }

  private turned(): void {
    this.complain();
    this.owner.containerChanged();
  }

  private pathOk(overPath: boolean): boolean {
    if (!overPath || this.owner.pod.spec.hostNetwork === true) return true;
    return this.owner.path?.ok ?? false;
  }

  /** The `Unhealthy` event, for as long as the host does not reach a process that is ready. */
  private complain(): void {
    const { path, context, pod } = this.owner;
    const blocked = this.processReady && this.probedOverPath && path !== undefined && !path.ok;
    const text = blocked && pod.spec.hostNetwork !== true ? path.message : '';
    if (text === this.unhealthyText) return;
    this.unhealthyText = text;
    this.unhealthy?.stop();
    this.unhealthy = undefined;
    const probe = this.readiness ?? this.liveness ?? this.startup;
    if (text === '' || probe === undefined) return;
    const kind = this.readiness !== undefined ? 'Readiness' : 'Liveness';
    const message = `${kind} probe failed: ${text}`;
    this.unhealthy = context.events.recur(
      context.podEventDetails(pod, 'Warning', 'Unhealthy', message),
      probe.nextBeat() + probe.period(),
      probe.period(),
    );
  }

  private endProbes(): void {
    this.readiness?.cancel();
    this.liveness?.cancel();
    this.startup?.cancel();
    this.startupLimit?.cancel();
    this.unhealthy?.stop();
    this.unhealthy = undefined;
    this.unhealthyText = '';
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
