/**
 * When to look for answers. To look in vain costs as much as ten answers, since Node makes an error of
 * it; so a sender learns how long its answers take, in steps of a tick, and looks no earlier.
 */
import type { Track } from './track.ts';

/** Agents answer within 300 ms. Whoever looks later than this, at its next tick, makes a good answer late. */
const LATEST_MS = 400;
const STEP_MS = 100;
/** A clock is not exact, nor is a wake-up. */
const SLACK_MS = 40;
/** So many answers later, they may have become faster. */
const TRY_EARLIER = 64;

/** A client's clock and its tick are not this agent's. */
const FRAME_SLACK_MS = 60;
/** Frames that come faster are answered together: each is told by its number, and in time. */
const TOGETHER_MS = 200;

/**
 * When whoever answers looks for the next frames. `tickAt` is when its tick was to be: reckoned from
 * when it came, each late tick would make all later answers later by one.
 */
export function nextFramesAt(tickAt: number, periodMs: number): number {
  return tickAt + Math.max(periodMs, TOGETHER_MS) - FRAME_SLACK_MS;
}

export class DueAnswers {
  private afterMs = STEP_MS;
  private found = 0;

  isDue(track: Track, now: number): boolean {
    return track.waitingFor(now) >= this.afterMs - SLACK_MS;
  }

  came(): void {
    this.found += 1;
    if (this.found % TRY_EARLIER === 0) this.afterMs = Math.max(STEP_MS, this.afterMs - STEP_MS);
  }

  cameNot(): void {
    this.afterMs = Math.min(LATEST_MS, this.afterMs + STEP_MS);
  }
}
