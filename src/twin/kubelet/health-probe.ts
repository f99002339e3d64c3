/**
 * A probe without ticking: it knows what it would see now and what it has said last, and works out
 * at which beat its answer turns (success at the next beat, failure after `failureThreshold` of
 * them; KK pkg/kubelet/prober).
 */
import type { Probe } from '../../model/kubernetes.ts';
import type { Kernel, Timer } from '../kernel/kernel.ts';
import type { Constants } from '../constants.ts';
import { beatFrom } from './rhythm.ts';

export interface ProbeParts {
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly probe: Probe;
  /** When the container started, virtual milliseconds. */
  readonly startedAt: number;
  readonly observed: boolean;
  readonly onTurn: (observed: boolean) => void;
}

export class HealthProbe {
  observed: boolean;
  private target: boolean;
  private timer: Timer | undefined;
  private readonly parts: ProbeParts;

  constructor(parts: ProbeParts) {
    this.parts = parts;
    this.observed = parts.observed;
    this.target = parts.observed;
  }

  /** What the probe sees from now on. */
  aim(target: boolean): void {
    if (target === this.target) return;
    this.target = target;
    this.cancel();
    if (target === this.observed) return;
    const { kernel, onTurn } = this.parts;
    this.timer = kernel.after(this.nextBeat() + this.furtherBeats(target) - kernel.now(), () => {
      this.observed = target;
      onTurn(target);
    });
  }

  /** The next time it looks (virtual milliseconds). */
  nextBeat(): number {
    const { kernel, probe, startedAt } = this.parts;
    const first = startedAt + (probe.initialDelaySeconds ?? 0) * 1000;
    return Math.max(first, beatFrom(kernel.now(), first, this.period()));
  }

  period(): number {
    const { probe, constants } = this.parts;
    return probe.periodSeconds === undefined
      ? constants.healthProbePeriodMs
      : probe.periodSeconds * 1000;
  }

  cancel(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private furtherBeats(target: boolean): number {
    const { probe, constants } = this.parts;
    const needed = target
      ? (probe.successThreshold ?? 1)
      : (probe.failureThreshold ?? constants.healthProbeFailureCount);
    return (needed - 1) * this.period();
  }
}

/** The probe is a packet from the node's own network to the pod, not a command in the container. */
export function needsPath(probe: Probe | undefined): boolean {
  return (
    probe?.httpGet !== undefined || probe?.tcpSocket !== undefined || probe?.grpc !== undefined
  );
}
