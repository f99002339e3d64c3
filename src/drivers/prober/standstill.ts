/**
 * Agents that their nodes give no processor to. What such an agent does not say of its paths is no
 * news of the network, neither good nor bad.
 */
import type { ProbeLine } from '../../model/probe.ts';

/** Of the time between two readings: with less, nothing is measured ten times a second any more. */
const SHARE_MAX = 0.5;

interface Seen {
  readonly boot: string;
  readonly upMs: number;
  readonly stoodMs: number;
  readonly standstill: Standstill | undefined;
}

export interface Standstill {
  readonly stoodMs: number;
  readonly ofMs: number;
}

export class Standstills {
  private readonly seen = new Map<string, Seen>();

  /** `agent` is the name of its pod. */
  take(agent: string, { boot, upMs, stoodMs = 0 }: ProbeLine): void {
    const known = this.seen.get(agent);
    const before = known?.boot === boot ? known : { upMs: 0, stoodMs: 0, standstill: undefined };
    // The same line again says nothing new.
    if (known?.boot === boot && upMs <= before.upMs) return;
    const standstill = { stoodMs: stoodMs - before.stoodMs, ofMs: upMs - before.upMs };
    const isOne = standstill.stoodMs > standstill.ofMs * SHARE_MAX;
    this.seen.set(agent, { boot, upMs, stoodMs, standstill: isOne ? standstill : undefined });
  }

  /** As of the newest line. */
  of(agent: string): Standstill | undefined {
    return this.seen.get(agent)?.standstill;
  }

  forget(agent: string): void {
    this.seen.delete(agent);
  }
}
