/**
 * A probe without ticking: it knows what it would see now and what it has said last, and works out
 * at which beat its answer turns (success at the next beat, failure after `failureThreshold` of
 * them; KK pkg/kubelet/prober/worker.go).
 */
import type { Probe } from '../../model/kubernetes.ts';
import type { Kernel, Timer } from '../kernel/kernel.ts';
import type { Constants } from '../constants.ts';
import { beatFrom } from './rhythm.ts';

export type ProbeKind = 'readiness' | 'liveness' | 'startup';

/** Whose probe it is. */
export interface ProbeOwner {
  readonly kernel: Kernel;
  readonly constants: Constants;
  /** The probe's answer is another now. */
  turned(kind: ProbeKind, observed: boolean): void;
}

export interface ProbeState {
  /** When the container started, virtual milliseconds; its initial delay counts from there. */
  readonly startedAt: number;
  /** When the worker of this probe took its first look: its beats count from there. */
  readonly tickingSince: number;
  readonly observed: boolean;
}

/** Small: every container has up to three. */
export class HealthProbe {
  observed: boolean;
  private target: boolean;
  private tickingSince: number;
  private timer: Timer | undefined;
  private readonly owner: ProbeOwner;
  private readonly kind: ProbeKind;
  private readonly probe: Probe;
  private readonly startedAt: number;

  constructor(owner: ProbeOwner, kind: ProbeKind, probe: Probe, state: ProbeState) {
    this.owner = owner;
    this.kind = kind;
    this.probe = probe;
    this.startedAt = state.startedAt;
    this.observed = state.observed;
    this.target = state.observed;
    this.tickingSince = state.tickingSince;
  }

  /** What the probe sees from now on. */
  aim(target: boolean): void {
    if (target === this.target) return;
    this.target = target;
    this.plan();
  }

  /**
   * Looks at once, out of turn, and counts its beats from here: what a readiness probe does whenever
   * the status of a container is built that has started and is not ready (KK prober_manager.go
   * UpdatePodStatus). A worker that has not begun looks when it begins.
   */
  lookNow(): void {
    const now = this.owner.kernel.now();
    if (this.observed || now < this.firstLook()) return;
    this.tickingSince = now;
    this.plan();
  }

  /** The next time it looks (virtual milliseconds). */
  nextBeat(): number {
    const earliest = Math.max(this.owner.kernel.now(), this.firstLook());
    return beatFrom(earliest, this.tickingSince, this.period());
  }

  period(): number {
    return periodOf(this.probe, this.owner.constants);
  }

  cancel(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private plan(): void {
    this.cancel();
    const { target } = this;
    if (target === this.observed) return;
    const { kernel } = this.owner;
    this.timer = kernel.after(this.nextBeat() + this.furtherBeats(target) - kernel.now(), () => {
      this.observed = target;
      this.owner.turned(this.kind, target);
    });
  }

  private firstLook(): number {
    const { probe, startedAt, tickingSince } = this;
    return Math.max(startedAt + (probe.initialDelaySeconds ?? 0) * 1000, tickingSince);
  }

  private furtherBeats(target: boolean): number {
    const { probe } = this;
    const { constants } = this.owner;
    const needed = target
      ? (probe.successThreshold ?? 1)
      : (probe.failureThreshold ?? constants.healthProbeFailureCount);
    return (needed - 1) * this.period();
  }
}

/** In virtual milliseconds. */
export function periodOf({ periodSeconds }: Probe, constants: Constants): number {
  return periodSeconds === undefined ? constants.healthProbePeriodMs : periodSeconds * 1000;
}

/** The probe is a packet from the node's own network to the pod, not a command in the container. */
export function needsPath(probe: Probe | undefined): boolean {
  return (
    probe?.httpGet !== undefined || probe?.tcpSocket !== undefined || probe?.grpc !== undefined
  );
}
