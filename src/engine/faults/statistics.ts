/** What many rehearsals come to: shares with their interval, and spreads. */
import type { Share, Spread } from '../../model/fault-sweep.ts';

/** Of the normal distribution, for 95 %. */
const Z = 1.959964;

/** Wilson's score interval: honest also where all or none succeeded (doi:10.1080/01621459.1927.10502953). */
export function wilson(successes: number, trials: number): Share {
  if (trials === 0) return { share: 0, low: 0, high: 1 };
  const share = successes / trials;
  const z2 = Z * Z;
  const middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half =
    (Z / (1 + z2 / trials)) *
    Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  return {
    share: rounded(share),
    low: rounded(Math.max(0, middle - half)),
    high: rounded(Math.min(1, middle + half)),
  };
}

/** Nearest rank. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

function rounded(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
