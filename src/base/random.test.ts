import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

function draw(seed: number): readonly number[] {
  const random = new Random(seed);
  return Array.from({ length: 20 }, () => random.uint32());
}

describe('Random, version 1', () => {
  it('keeps its sequence for ever: seeds are part of the file format', () => {
    const random = new Random(42);
    expect([random.uint32(), random.uint32(), random.uint32()]).toMatchInlineSnapshot(`
      [
        1959603763,
        2423114712,
        2466933512,
      ]
    `);
  });

  it('gives the same sequence for the same seed, another for another', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('stays within the bounds, and reaches both', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 0, max: 5 }),
        (seed, low, span) => {
          const random = new Random(seed);
          const draws = Array.from({ length: 200 }, () => random.between(low, low + span));
          expect(Math.min(...draws)).toBe(low);
          expect(Math.max(...draws)).toBe(low + span);
        },
      ),
    );
  });

  it('forks: one actor drawing more does not shift another', () => {
    const first = new Random(1);
    const fork = first.fork('kubelet');
    const expected = fork.uint32();
    const second = new Random(1);
    const other = second.fork('kubelet');
    second.uint32();
    expect(other.uint32()).toBe(expected);
  });
});
