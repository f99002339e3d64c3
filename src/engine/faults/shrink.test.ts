import { describe, expect, it } from 'vitest';
import type { FaultDescription, FaultStrike } from '../../model/fault.ts';
import { shrink } from './shrink.ts';

const STEPS = Array.from({ length: 40 }, (_, index) => `s${index}`);
const FAULTS: readonly FaultDescription[] = [
  {
    id: 'x',
    title: '',
    standsFor: '',
    source: '',
    strikes: 'cluster',
    // As long as for ever, which is 0.
    parameters: { for: { about: '', unit: 's', least: 10, usual: 60, most: 0 } },
  },
];
const X: FaultStrike = { fault: 'x', step: 's33', after: 12, parameters: { for: 0 } };
const Y: FaultStrike = { fault: 'y', step: 's20', after: 3, parameters: {} };

function small(
  strikes: readonly FaultStrike[],
  breaks: (candidate: readonly FaultStrike[]) => boolean,
  triesMax = 100,
) {
  const options = { steps: STEPS, faults: FAULTS, triesMax };
  return shrink(strikes, (candidate) => Promise.resolve(breaks(candidate)), options);
}

describe('shrink', () => {
  it('keeps the one fault that matters, as mild, as early and as prompt as it still breaks', async () => {
    const breaks = ([first, ...others]: readonly FaultStrike[]) =>
      first?.fault === 'x' && others.length === 0 && STEPS.indexOf(first.step) >= 5;
    const { strikes } = await small([X, Y], (all) => all.some((each) => breaks([each])));
    const [found] = strikes;
    expect(strikes).toHaveLength(1);
    expect(found).toMatchObject({ fault: 'x', after: 0, parameters: { for: 10 } });
    expect(STEPS.indexOf(found?.step ?? '')).toBe(5);
  });

  it('keeps both where only both break', async () => {
    const { strikes } = await small([X, Y], (all) => all.length === 2);
    expect(strikes.map(({ fault }) => fault)).toEqual(['x', 'y']);
    expect(strikes.map(({ step }) => step)).toEqual(['s0', 's0']);
  });

  it('keeps what only breaks when it lasts for ever', async () => {
    const { strikes } = await small([X], ([only]) => only?.parameters['for'] === 0);
    expect(strikes[0]?.parameters).toEqual({ for: 0 });
  });

  it('tries nothing twice, and no more than it may', async () => {
    const seen: string[] = [];
    const { tried, strikes } = await small(
      [X, Y],
      (all) => {
        seen.push(JSON.stringify(all));
        return false;
      },
      7,
    );
    expect(tried).toBe(7);
    expect(new Set(seen).size).toBe(7);
    expect(strikes).toEqual([X, Y]);
  });
});
