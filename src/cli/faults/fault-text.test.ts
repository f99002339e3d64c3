import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { casesOf } from '../../engine/faults/sample-cases.ts';
import { planOf, stepOf } from '../../engine/testing.ts';
import { readStrike, showStrike } from '../../twin/faults/fault-text.ts';
import { FAULTS } from '../../twin/faults/registry.ts';

const PLAN = planOf([
  stepOf('prepare/back-up', { kind: 'back-up', objects: [] }),
  { ...stepOf('move-nodes/w1/label', { kind: 'uncordon', nodes: ['w1'] }), nodes: ['w1'] },
  { ...stepOf('move-nodes/w2/label', { kind: 'uncordon', nodes: ['w2'] }), nodes: ['w2'] },
]);
const NODES = ['cp', 'w1', 'w2'];

describe('the text of a strike', () => {
  it('says all that a sweep draws, so that it can be played again', () => {
    const nodes = NODES.map((name) => ({ name, controlPlane: name === 'cp' }));
    assert(
      property(integer({ min: 1, max: 1_000_000 }), constantFrom(...FAULTS), (seed, fault) => {
        const { strikes } = casesOf({ plan: PLAN, nodes, faults: [fault], seed })(seed % 5);
        for (const strike of strikes)
          expect(readStrike(showStrike(strike), PLAN, NODES)).toEqual(strike);
      }),
    );
  });

  it('takes the usual for what is left out, and the beginning of a step for the step', () => {
    expect(readStrike('node-lost@move-nodes/w2', PLAN, NODES)).toEqual({
      fault: 'node-lost',
      step: 'move-nodes/w2/label',
      after: 0,
      node: 'w2',
      parameters: { back: 600 },
    });
    expect(readStrike('api-hangs', PLAN, NODES).step).toBe('prepare/back-up');
  });

  it.each([
    ['node-gone@move-nodes', /no fault is called node-gone/],
    ['node-lost@nowhere', /no step nowhere/],
    ['node-lost@move-nodes,node=w9', /no node w9/],
    ['node-lost@move-nodes,forth=9', /takes no forth=9/],
    ['node-lost@move-nodes,back=soon', /takes no back=soon/],
    ['Node lost', /is no fault/],
  ])('%s is told what is wrong with it', (text, words) => {
    expect(() => readStrike(text, PLAN, NODES)).toThrow(words);
  });
});
