/** Values that nobody thought of: settings of the cases, several at a time, drawn by seed. */
import { Random } from '../../../src/base/random.ts';
import { VALUE_CASES, type ValueCase } from './cases.ts';

const AT_ONCE = 5;

export function randomCases(seed: number, count: number): readonly ValueCase[] {
  return Array.from({ length: count }, (_, index) => randomValues(seed + index));
}

function randomValues(seed: number): ValueCase {
  const random = new Random(seed);
  const chosen = Array.from({ length: random.between(2, AT_ONCE) }, () => random.pick(VALUE_CASES));
  const set = Object.assign({}, ...chosen.map((one) => one.set));
  return { id: `random-${seed}`, set };
}
