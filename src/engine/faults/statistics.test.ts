import { assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spread, wilson } from './statistics.ts';

describe('wilson', () => {
  // The roots of (p - x/n)² = z² p (1 - p) / n, solved apart from the code.
  it.each([
    [0, 10, 0, 0.277533],
    [10, 10, 0.722467, 1],
    [81, 263, 0.255289, 0.366208],
    [980, 1000, 0.96931, 0.987014],
  ])('%i of %i lies between %f and %f', (successes, trials, low, high) => {
    const found = wilson(successes, trials);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it('knows nothing where nothing was tried', () => {
    expect(wilson(0, 0)).toEqual({ share: 0, low: 0, high: 1 });
  });

  it('holds the share, and grows narrower with more trials', () => {
    assert(
      property(integer({ min: 1, max: 500 }), nat(500), (trials, some) => {
        const successes = Math.min(some, trials);
        const { share, low, high } = wilson(successes, trials);
        expect(low).toBeLessThanOrEqual(share);
        expect(high).toBeGreaterThanOrEqual(share);
        const more = wilson(successes * 10, trials * 10);
        expect(more.high - more.low).toBeLessThan(high - low);
      }),
    );
  });
});

describe('spread', () => {
  it('is a value that was measured, by nearest rank', () => {
    expect(spread([5, 1, 4, 2, 3])).toEqual({ p50: 3, p99: 5, max: 5 });
    expect(spread(Array.from({ length: 200 }, (_, index) => index + 1))).toEqual({
      p50: 100,
      p99: 198,
      max: 200,
    });
    expect(spread([])).toEqual({ p50: 0, p99: 0, max: 0 });
  });
});
