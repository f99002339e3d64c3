import { expect, it } from 'vitest';
import { parseQuantity } from './quantity.ts';

it.each([
  ['2', 2],
  ['250m', 0.25],
  ['1.5', 1.5],
  ['512Mi', 512 * 2 ** 20],
  ['1e3', 1000],
  ['1k', 1000],
])('%s is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 9);
});

it.each(['', 'Mi', '5 Gi', '1Q', '-1', undefined])('%s is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});
