import { assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaultDescription } from '../../model/fault.ts';
import { planOf, stepOf } from '../testing.ts';
import { casesOf, type SweepSpace } from './sample-cases.ts';

function fault(id: string, strikes: FaultDescription['strikes'] = 'cluster'): FaultDescription {
  const parameters = {
    for: { about: 'how long', unit: 's', least: 1, usual: 5, most: 9 },
  } as const;
  return { id, title: id, standsFor: '', source: '', strikes, parameters };
}

const PLAN = planOf(['a', 'b', 'c'].map((id) => stepOf(id, { kind: 'uncordon', nodes: ['w1'] })));
const SPACE: SweepSpace = {
  plan: PLAN,
  nodes: [
    { name: 'cp', controlPlane: true },
    { name: 'w1', controlPlane: false },
    { name: 'w2', controlPlane: false },
  ],
  faults: [fault('x'), fault('y', 'node'), fault('z', 'control-plane')],
  seed: 7,
};

function many(space: SweepSpace, count: number) {
  const caseOf = casesOf(space);
  return Array.from({ length: count }, (_, index) => caseOf(index));
}

describe('casesOf', () => {
  it('takes every pair of fault and step once before any comes twice', () => {
    const firsts = many(SPACE, 18).map(({ strikes: [first] }) => `${first?.fault}@${first?.step}`);
    expect(new Set(firsts.slice(0, 9)).size).toBe(9);
    expect(firsts.slice(9)).toEqual(firsts.slice(0, 9));
  });

  it('makes a case of its number alone, whatever came before it', () => {
    assert(
      property(nat(500), integer({ min: 1, max: 1_000_000 }), (index, seed) => {
        const space = { ...SPACE, seed };
        const caseOf = casesOf(space);
        caseOf(index + 1);
        expect(caseOf(index)).toEqual(casesOf(space)(index));
        expect(caseOf(index).seed).toBe(seed + index);
      }),
    );
  });

  it('strikes nodes of the kind that the fault strikes, and none where it strikes no node', () => {
    const strikes = many(SPACE, 400).flatMap((each) => each.strikes);
    const nodesOf = (id: string) =>
      new Set(strikes.filter((each) => each.fault === id).map(({ node }) => node));
    expect(nodesOf('x')).toEqual(new Set([undefined]));
    expect(nodesOf('y')).toEqual(new Set(['cp', 'w1', 'w2']));
    expect(nodesOf('z')).toEqual(new Set(['cp']));
  });

  it('leaves out faults for which there is no machine', () => {
    const nodes = [{ name: 'w1', controlPlane: false }];
    const ids = many({ ...SPACE, nodes }, 60).flatMap(({ strikes }) => strikes.map((s) => s.fault));
    expect(new Set(ids)).toEqual(new Set(['x', 'y']));
  });

  it('keeps to the steps that are asked for, and mixes mild with harsh and early with late', () => {
    const strikes = many({ ...SPACE, steps: ['b'] }, 200).flatMap((each) => each.strikes);
    expect(new Set(strikes.map(({ step }) => step))).toEqual(new Set(['b']));
    expect(new Set(strikes.map(({ parameters }) => parameters['for']))).toEqual(new Set([1, 5, 9]));
    expect(strikes.some(({ after }) => after === 0)).toBe(true);
    expect(strikes.some(({ after }) => after > 30)).toBe(true);
  });

  it('has rehearsals with two faults, and more with one', () => {
    const counts = many(SPACE, 400).map(({ strikes }) => strikes.length);
    const two = counts.filter((count) => count === 2).length;
    expect(two).toBeGreaterThan(60);
    expect(two).toBeLessThan(140);
  });
});
