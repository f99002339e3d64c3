/** Trying again what failed for a reason that passes by itself. */
import { RegaugeError } from '../../base/errors.ts';
import type { ClockPort } from '../../ports/index.ts';

/** Between two tries (milliseconds). */
const RETRY_MS = 3_000;
const PASSING_CODES = new Set(['unreachable', 'conflict', 'timeout', 'throttled', 'expired']);

/** Until the deadline, or until it is given up: then with the failure. */
export async function retriedUntil<T>(
  clock: ClockPort,
  deadline: number,
  work: () => Promise<T>,
  isGivenUp: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passes = error instanceof RegaugeError && PASSING_CODES.has(error.code);
      if (!passes || clock.now() >= deadline || (await isGivenUp())) throw error;
      await clock.sleep(RETRY_MS);
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
