/** Waiting by looking: every wait has a bound, and reaching it is an outcome with a name. */
import type { ClockPort } from '../ports/index.ts';
import type { Verdict } from './step-module.ts';

const FIRST_PAUSE_MS = 500;
const USUAL_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Milliseconds until the next look, after so many of waiting: what comes is seen two seconds late, or by a
 * tenth of the time that it took. A pause that only grows sees a pod that takes 20 s after 23.
 */
export function pauseAfter(waitedMs: number): number {
  if (waitedMs < 2 * FIRST_PAUSE_MS) return waitedMs + FIRST_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, Math.max(USUAL_PAUSE_MS, Math.round(waitedMs / 10)));
}

/** Looks until it holds or the deadline (clock milliseconds) has passed; the last verdict. */
export async function waitUntil(
  clock: ClockPort,
  deadline: number,
  look: () => Promise<Verdict>,
  onFirstMiss?: (message: string) => void,
): Promise<Verdict> {
  const since = clock.now();
  for (let round = 0; ; round += 1) {
    const verdict = await look();
    if (verdict.holds) return verdict;
    if (round === 0) onFirstMiss?.(verdict.message);
    const left = deadline - clock.now();
    if (left <= 0) return verdict;
    await clock.sleep(Math.min(pauseAfter(clock.now() - since), left));
  }
}

/** Does the work for all items, at most so many at a time; in order, so that runs repeat. */
export async function inParallel<T>(
  items: readonly T[],
  atATime: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next];
      next += 1;
      if (item !== undefined) await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
}

/** How many nodes are spoken to at a time where order does not matter. */
export const NODES_AT_A_TIME = 16;
