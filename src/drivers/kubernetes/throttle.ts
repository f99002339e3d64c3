/**
 * The scanner protects the server: at most so many requests in any one second, first come, first
 * served. A credential of `system:masters` is exempt from the server's own fairness, so that nothing
 * else would. A bucket with a burst would let twice the rate through in its first second.
 */
import { interrupted, type Timers } from './timers.ts';

const WINDOW_MS = 1_000;

interface Waiter {
  readonly go: () => void;
  readonly leave: (error: Error) => void;
  readonly signal: AbortSignal | undefined;
}

export class Throttle {
  private readonly timers: Timers;
  private readonly perSecond: number;
  /** When the last requests went, oldest first; no more than may go in a second. */
  private readonly went: number[] = [];
  private readonly queue: Waiter[] = [];
  private planned = false;

  constructor(timers: Timers, perSecond: number) {
    this.timers = timers;
    this.perSecond = perSecond;
  }

  /** Resolves when it is the caller's turn. */
  turn(signal?: AbortSignal): Promise<void> {
    return new Promise((go, leave) => {
      this.queue.push({ go, leave, signal });
      this.serve();
    });
  }

  private serve(): void {
    for (;;) {
      const next = this.queue[0];
      if (next === undefined) return;
      if (next.signal?.aborted === true) {
        this.queue.shift();
        next.leave(interrupted(next.signal));
        continue;
      }
      const wait = this.waitMs();
      if (wait > 0) {
        this.serveLater(wait);
        return;
      }
      this.queue.shift();
      this.went.push(this.timers.now());
      next.go();
    }
  }

  private waitMs(): number {
    const now = this.timers.now();
    while (this.went[0] !== undefined && this.went[0] <= now - WINDOW_MS) this.went.shift();
    const [oldest] = this.went;
    if (oldest === undefined || this.went.length < this.perSecond) return 0;
    return oldest + WINDOW_MS - now;
  }

  private serveLater(wait: number): void {
    if (this.planned) return;
    this.planned = true;
    // A timer may fire a little early; the next look then waits for the rest.
    this.timers.after(Math.max(1, Math.ceil(wait)), () => {
      this.planned = false;
      this.serve();
    });
  }
}
