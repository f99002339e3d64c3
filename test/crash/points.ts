/** At which calls an executor is killed: all of them, or some that a seed draws. */
import { Random } from '../../src/base/random.ts';
import type { Call, Kill } from './crashing-ports.ts';

/** Between any two calls, and within every one that changes something: done, and nobody has heard. */
export function allKills(calls: readonly Call[]): readonly Kill[] {
  return calls.flatMap(({ changes }, index): readonly Kill[] => {
    const call = index + 1;
    const before = { call, when: 'before' } as const;
    return changes ? [before, { call, when: 'after' }] : [before];
  });
}

/** Half of them within changes: there are far fewer of those, and more depends on them. */
export function someKills(calls: readonly Call[], count: number, seed: number): readonly Kill[] {
  const random = new Random(seed);
  const all = allKills(calls);
  const within = all.filter(({ call }) => calls[call - 1]?.changes === true);
  return Array.from({ length: count }, (_, index) => {
    const among = index % 2 === 0 ? within : all;
    return among[Math.floor(random.unit() * among.length)] ?? { call: 1, when: 'before' };
  });
}

/** The first, and then another within the calls that the next executor makes: soon, or later. */
export function twice(first: Kill, seed: number, reach: number): readonly Kill[] {
  const random = new Random(seed + first.call);
  const call = 1 + Math.floor(random.unit() ** 2 * reach);
  return [first, { call, when: random.unit() < 0.5 ? 'before' : 'after' }];
}

export function showKills(kills: readonly Kill[], calls: readonly Call[]): string {
  return kills
    .map(({ call, when }, index) => {
      const what = index === 0 ? calls[call - 1] : undefined;
      const named = what === undefined ? '' : ` (${what.port}.${what.method} ${what.subject})`;
      return `${when} call ${call}${named}`;
    })
    .join(', then ');
}
