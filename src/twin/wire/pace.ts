/**
 * Virtual time at a chosen speed of the wall's clock. Between requests the kernel is driven by one
 * timer that is set to the next due action: nothing due, nothing done. A kernel that cannot keep up
 * falls behind rather than holding requests up.
 */
import type { Kernel } from '../kernel/kernel.ts';

/** Virtual seconds per second, or as fast as actions can be run. */
export type Speed = number | 'max';

/** The wall's clock, injected so that tests need not wait. */
export interface WallClock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back after the delay; returns the way out. */
  after(delayMs: number, action: () => void): () => void;
}

export const WALL_CLOCK: WallClock = {
  now: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Node takes longer ones for 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Requests wait no longer than this for actions that are due (milliseconds of the wall's clock). */
const SLICE_MS = 20;

export interface PaceOptions {
  readonly kernel: Kernel;
  readonly speed: Speed;
  readonly clock?: WallClock;
  /** An action of the twin threw: a mistake of the twin. Time stands still afterwards. */
  readonly onFailure: (error: unknown) => void;
}

export class Pace {
  private readonly kernel: Kernel;
  private readonly clock: WallClock;
  private readonly onFailure: (error: unknown) => void;
  private currentSpeed: Speed;
  private running = false;
  private anchor: { readonly wall: number; readonly virtual: number };
  private cancelTimer: (() => void) | undefined;

  constructor({ kernel, speed, clock = WALL_CLOCK, onFailure }: PaceOptions) {
    this.kernel = kernel;
    this.clock = clock;
    this.onFailure = onFailure;
    this.currentSpeed = speed;
    this.anchor = { wall: clock.now(), virtual: kernel.now() };
  }

  get speed(): Speed {
    return this.currentSpeed;
  }

  get paused(): boolean {
    return !this.running;
  }

  /** Also after `pause`: the time in between did not pass for the twin. */
  resume(): void {
    if (this.running) return;
    this.running = true;
    this.anchorHere();
    this.schedule();
  }

  pause(): void {
    this.catchUp();
    this.running = false;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  setSpeed(speed: Speed): void {
    this.catchUp();
    this.currentSpeed = speed;
    this.anchorHere();
    this.schedule();
  }

  /** Lets virtual time pass at once, whatever the speed; none while paused. */
  advance(milliseconds: number): void {
    this.catchUp();
    if (!this.running) return;
    this.guarded(() => this.kernel.runUntil(this.kernel.now() + milliseconds));
    this.anchorHere();
    this.schedule();
  }

  /** Runs what is due by now; called before a request is handled, so that it meets the present. */
  catchUp(): void {
    if (this.running) this.guarded(() => this.run());
  }

  /** Something may have been scheduled for sooner than the timer: called after a request. */
  schedule(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (!this.running) return;
    const next = this.kernel.nextAt();
    if (next === undefined) return;
    const delay =
      this.currentSpeed === 'max'
        ? 0
        : this.anchor.wall + (next - this.anchor.virtual) / this.currentSpeed - this.clock.now();
    this.cancelTimer = this.clock.after(Math.max(0, Math.ceil(delay)), () => {
      this.catchUp();
      this.schedule();
    });
  }

  private guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.running = false;
      this.onFailure(error);
    }
  }

  private run(): void {
    const { kernel, clock } = this;
    const begun = clock.now();
    const target = this.target(begun);
    for (;;) {
      const next = kernel.nextAt();
      if (next === undefined || next > target) break;
      kernel.step();
      if (clock.now() - begun < SLICE_MS) continue;
      this.anchorHere();
      return;
    }
    // At full speed the clock stands at the last action: there is no other measure of it.
    if (target !== Infinity) kernel.runUntil(target);
  }

  private target(wall: number): number {
    if (this.currentSpeed === 'max') return Infinity;
    return this.anchor.virtual + (wall - this.anchor.wall) * this.currentSpeed;
  }

  private anchorHere(): void {
    this.anchor = { wall: this.clock.now(), virtual: this.kernel.now() };
  }
}
