import { describe, expect, it } from 'vitest';
import type { FaultedResult } from '../../model/fault-sweep.ts';
import { faultSweep } from '../../model/schema/fault-sweep.ts';
import { planOf, stepOf } from '../testing.ts';
import { summarise } from './summarise.ts';

function result(index: number, more: Partial<FaultedResult> = {}): FaultedResult {
  return {
    index,
    seed: 100 + index,
    strikes: [{ fault: index % 2 === 0 ? 'x' : 'y', step: 'a', after: 0, parameters: {} }],
    outcome: 'clean',
    struck: true,
    broke: [],
    runs: 1,
    makespanSeconds: 60 + index,
    podOutageSeconds: 10,
    longestPathGapMs: 1000,
    ...more,
  };
}

const BROKE = { what: 'no pod stays away', message: 'a pod did' };
const RESULTS = [
  result(0),
  result(1, { outcome: 'resumed', runs: 2 }),
  result(2, { outcome: 'broken', broke: [BROKE, BROKE] }),
  result(3, { outcome: 'stopped', podOutageSeconds: 900, struck: false }),
  result(4, { outcome: 'broken', broke: [BROKE], podOutageSeconds: 5000 }),
];

function document(results: readonly FaultedResult[]) {
  const sweep = summarise(results, {
    plan: planOf([stepOf('a', { kind: 'uncordon', nodes: [] })]),
    seed: 100,
    planned: 9,
    faults: ['x', 'y', 'never'].map((id) => ({
      id,
      title: id,
      standsFor: '',
      source: '',
      strikes: 'cluster',
      parameters: {},
    })),
    exampleOf: ({ seed, outcome, broke }) => ({ seed, outcome, broke, faults: [], command: 'x' }),
  });
  return { ...sweep, shrunk: null };
}

describe('summarise', () => {
  it('counts by outcome, by fault and by step, and leaves out what was not tried', () => {
    const sweep = document(RESULTS);
    expect(sweep.outcomes).toEqual({ clean: 1, resumed: 1, stopped: 1, broken: 2 });
    expect(sweep.faults.map(({ fault, outcomes }) => [fault, outcomes.broken])).toEqual([
      ['x', 2],
      ['y', 0],
    ]);
    expect(sweep.steps).toEqual([{ step: 'a', outcomes: sweep.outcomes }]);
    expect(sweep).toMatchObject({ planned: 9, rehearsals: 5, notStruck: 1 });
    expect(sweep.clean.share).toBe(0.4);
  });

  it('says the same whichever worker was faster', () => {
    expect(document(RESULTS.toReversed())).toEqual(document(RESULTS));
  });

  it('takes for the worst what broke most, not what was away longest', () => {
    expect(document(RESULTS).worst?.seed).toBe(102);
    expect(document(RESULTS.slice(0, 2).concat(RESULTS.slice(3, 4))).worst?.seed).toBe(103);
  });

  it('tells of a broken promise once a rehearsal, with the first seed', () => {
    expect(document(RESULTS).broken).toEqual([{ ...BROKE, rehearsals: 2, firstSeed: 102 }]);
  });

  it('is as the published schema says, also of nothing', () => {
    expect(faultSweep.parse(document(RESULTS))).toEqual(document(RESULTS));
    expect(faultSweep.parse(document([])).worst).toBeNull();
  });
});
