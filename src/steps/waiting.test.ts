/** How late something is seen that came about between two looks. */
import { expect, it } from 'vitest';
import { pauseAfter } from './waiting.ts';

function looksUntil(ms: number): readonly number[] {
  const looks = [0];
  for (let at = pauseAfter(0); at <= ms; at += pauseAfter(at)) looks.push(at);
  return looks;
}

it('sees what comes two seconds late at most, or by a tenth of the time it took', () => {
  const looks = looksUntil(300_000);
  for (const [index, at] of looks.slice(1).entries()) {
    const late = at - (looks[index] ?? 0);
    expect(late).toBeLessThanOrEqual(Math.max(2_000, at / 10));
  }
});

it('looks seldom at what takes long', () => {
  expect(looksUntil(20_000).length).toBeLessThanOrEqual(12);
  expect(looksUntil(300_000).length).toBeLessThanOrEqual(75);
});
