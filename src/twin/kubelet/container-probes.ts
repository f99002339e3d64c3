/**
 * The probes of a container that runs: what they make of its process and of the path to it. One
 * worker per probe ticks from the pod's first sync on; soon after the kubelet's own start it first
 * sleeps a random part of its period (KK pkg/kubelet/prober).
 */
import type { Probe } from '../../model/kubernetes.ts';
import type { Constants } from '../constants.ts';
import type { Kernel, Timer } from '../kernel/kernel.ts';
import type { ContainerRun } from './container-run.ts';
import type { Recurrence } from './event-recorder.ts';
import {
  HealthProbe,
  needsPath,
  periodOf,
  type ProbeKind,
  type ProbeOwner,
} from './health-probe.ts';
import { phaseOf } from './rhythm.ts';

export interface ProbesStart {
  /** When the container started (virtual milliseconds); minus infinity when before the twin. */
  readonly startedAt: number;
  /** It has started up once already. */
  readonly startedUp: boolean;
  readonly ready: boolean;
}

export class ContainerProbes implements ProbeOwner {
  startedUp: boolean;
  private readonly run: ContainerRun;
  private readonly readiness: HealthProbe | undefined;
  private readonly liveness: HealthProbe | undefined;
  private readonly startup: HealthProbe | undefined;
  private startupLimit: Timer | undefined;
  private unhealthy: Recurrence | undefined;
  private unhealthyText = '';

  constructor(run: ContainerRun, start: ProbesStart) {
    this.run = run;
    const { readinessProbe, livenessProbe, startupProbe } = run.container;
    this.startedUp = start.startedUp || startupProbe === undefined;
    const { startedAt, ready } = start;
    this.readiness = readinessProbe && this.probe(readinessProbe, 'readiness', startedAt, ready);
    this.liveness = livenessProbe && this.probe(livenessProbe, 'liveness', startedAt, true);
    this.startup = startupProbe && this.probe(startupProbe, 'startup', startedAt, this.startedUp);
    if (!this.startedUp) this.limitStartup();
  }

  get ready(): boolean {
    return this.startedUp && (this.readiness?.observed ?? true);
  }

  /** Looks again at what the probes see: the process has said something, or the path changed. */
  reconsider(): void {
    const { container, processReady, processLive } = this.run;
    this.startup?.aim(processReady && this.pathOk(container.startupProbe));
    if (this.startedUp) {
      this.readiness?.aim(processReady && this.pathOk(container.readinessProbe));
      this.liveness?.aim(processLive && this.pathOk(container.livenessProbe));
    }
    this.complain();
  }

  /** The pod's status has been built anew. */
  statusBuilt(): void {
    if (this.startedUp) this.readiness?.lookNow();
  }

  end(): void {
    this.readiness?.cancel();
    this.liveness?.cancel();
    this.startup?.cancel();
    this.startupLimit?.cancel();
    this.unhealthy?.stop();
    this.unhealthy = undefined;
    this.unhealthyText = '';
  }

  get kernel(): Kernel {
    return this.run.owner.context.kernel;
  }

  get constants(): Constants {
    return this.run.owner.context.world.constants;
  }

  turned(kind: ProbeKind, observed: boolean): void {
    const { run } = this;
    if (kind === 'startup') this.startedOnce(observed);
    else if (kind === 'readiness') {
      this.complain();
      run.owner.containerChanged();
    } else if (!observed) run.owner.containerUnhealthy(run, 'liveness');
  }

  private probe(probe: Probe, kind: ProbeKind, startedAt: number, observed: boolean): HealthProbe {
    const tickingSince = this.tickingSince(probe, kind);
    return new HealthProbe(this, kind, probe, { startedAt, observed, tickingSince });
  }

  private tickingSince(probe: Probe, kind: string): number {
    const { container, owner } = this.run;
    const { context, pod, probedSince } = owner;
    const period = periodOf(probe, context.world.constants);
    const phase = phaseOf(
      `${pod.metadata.uid ?? pod.metadata.name}/${container.name}/${kind}`,
      period,
    );
    if (probedSince === -Infinity) return phase;
    return period > probedSince - context.startedAt ? probedSince - phase : probedSince;
  }

  private limitStartup(): void {
    const { startup, run } = this;
    if (startup === undefined) return;
    const { kernel, world } = run.owner.context;
    const tries =
      run.container.startupProbe?.failureThreshold ?? world.constants.healthProbeFailureCount;
    const last = startup.nextBeat() + (tries - 1) * startup.period();
    this.startupLimit = kernel.after(last - kernel.now(), () => {
      if (!this.startedUp) run.owner.containerUnhealthy(run, 'startup');
    });
  }

  private startedOnce(up: boolean): void {
    if (!up || this.startedUp) return;
    this.startedUp = true;
    this.startupLimit?.cancel();
    this.reconsider();
    this.run.owner.containerChanged();
  }

  private pathOk(probe: Probe | undefined): boolean {
    const { owner } = this.run;
    if (!needsPath(probe) || owner.pod.spec.hostNetwork === true) return true;
    return owner.path?.ok ?? false;
  }

  /** The `Unhealthy` event, for as long as the host does not reach a process that is ready. */
  private complain(): void {
    const { owner, processReady, probedOverPath } = this.run;
    const { path, context, pod } = owner;
    const blocked = processReady && probedOverPath && path !== undefined && !path.ok;
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
}
