/**
 * The twin's container runtimes against what real ones were measured to do: every case of every
 * runtime, every step of every case (data/README and shared/truth/README.md tell the method).
 */
import { describe, expect, it } from 'vitest';
import { truthFiles } from './cases.ts';
import { replay } from './replay.ts';

for (const truth of truthFiles()) {
  describe(`${truth.name} as measured`, () => {
    for (const one of truth.cases) {
      it(`${one.id} ${one.description}`, () => {
        for (const { expected, actual } of replay(truth, one)) expect(actual).toEqual(expected);
      });
    }
  });
}
