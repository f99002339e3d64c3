/** Waiting by looking: every wait has a bound, and reaching it is an outcome with a name. */
import type { ClockPort } from '../ports/index.ts';
import type { Verdict } from './step-module.ts';

export const FIRST_PAUSE_MS = 500;
export const LONGEST_PAUSE_MS = 5_000;

/** Looks until it holds or the deadline (clock milliseconds) has passed; the last verdict. */
export async function waitUntil(
  clock: ClockPort,
  deadline: number,
  look: () => Promise<Verdict>,
  onFirstMiss?: (message: string) => void,
): Promise<Verdict> {
  let pause = FIRST_PAUSE_MS;
  for (let round = 0; ; round += 1) {
    const verdict = await look();
    if (verdict.holds) return verdict;
    if (round === 0) onFirstMiss?.(verdict.message);
    const left = deadline - clock.now();
    if (left <= 0) return verdict;
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
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
