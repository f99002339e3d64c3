/**
 * What each API server counts of requests whose sender it does not know, as its metrics show it
 * (`authentication_attempts`): from 0 when its process starts. Clients are taken to talk to the first
 * one that runs, as everywhere in the twin.
 */
import type { AuthenticationFailures } from '../../ports/index.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { TwinNode } from '../world.ts';
import type { ControlPlane } from './control-plane.ts';

/** Those that ran when the twin began are taken to have run for a day, each a second longer. */
const BEFORE_MS = 24 * 60 * 60_000;
const APART_MS = 1_000;

interface Process {
  readonly startedAt: number;
  count: number;
}

export class RefusedRequests {
  private readonly kernel: Kernel;
  private readonly controlPlane: ControlPlane;
  private readonly processes = new Map<TwinNode | undefined, Process>();
  private begun = 0;

  constructor(kernel: Kernel, controlPlane: ControlPlane) {
    this.kernel = kernel;
    this.controlPlane = controlPlane;
  }

  /** To be told whenever one may have started or stopped. */
  controlPlaneChanged(): void {
    const serving = new Set<TwinNode | undefined>(this.controlPlane.servingNodes());
    for (const node of this.processes.keys()) {
      if (node !== undefined && !serving.has(node)) this.processes.delete(node);
    }
    const isFirst = this.begun === 0;
    for (const node of serving) this.processOn(node, isFirst);
  }

  count(): void {
    this.answering().count += 1;
  }

  now(): AuthenticationFailures {
    const { startedAt, count } = this.answering();
    const server = String((this.kernel.epochMs + startedAt) / 1_000);
    return { server, count, uptimeMs: this.kernel.now() - startedAt };
  }

  private answering(): Process {
    if (this.begun === 0) this.controlPlaneChanged();
    return this.processOn(this.controlPlane.servingNode(), this.begun === 0);
  }

  private processOn(node: TwinNode | undefined, isOld: boolean): Process {
    let process = this.processes.get(node);
    if (process === undefined) {
      const before = isOld ? BEFORE_MS + this.begun * APART_MS : 0;
      this.begun += 1;
      // Two that start at once are two: metrics tell the hundredth of a second.
      process = { startedAt: this.kernel.now() - before - this.begun, count: 0 };
      this.processes.set(node, process);
    }
    return process;
  }
}
