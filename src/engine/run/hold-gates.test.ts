/** Gates after a silence: what was last heard of before it counts for nothing until it is heard again. */
import { expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Ports } from '../../ports/index.ts';
import { gateContextOf } from '../gates/gate-context.ts';
import { planOf } from '../testing.ts';
import { holdGates } from './hold-gates.ts';

const READY: NodeObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'a' },
  spec: {},
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

/** Each look at the node takes so many seconds, or fails after them; the last for ever. */
function waiting(
  looks: readonly { readonly seconds: number; readonly fails?: 'timeout' | 'conflict' }[],
) {
  let now = 0;
  let asked = 0;
  const ports = {
    clock: {
      now: () => now,
      sleep: (milliseconds: number) => {
        now += milliseconds;
        return Promise.resolve();
      },
    },
    kubernetes: {
      get: () => {
        const look = looks[Math.min(asked, looks.length - 1)];
        asked += 1;
        now += (look?.seconds ?? 0) * 1000;
        if (look?.fails === undefined) return Promise.resolve(READY);
        return Promise.reject(new RegaugeError(look.fails, 'no answer'));
      },
    },
  } as unknown as Ports; // what the gate asks
  const context = gateContextOf(planOf([]), ports, () => Promise.resolve());
  const said: string[] = [];
  const held = holdGates([{ kind: 'nodes-ready', nodes: ['a'] }], {
    context,
    deadline: 900_000,
    isOver: () => false,
    tell: (_gate, state, message) => {
      said.push(`${state}: ${message}`);
      return Promise.resolve();
    },
  });
  return held.then((waited) => ({ waited, said, seconds: now / 1000 }));
}

it('believes a node that is Ready when it is asked', async () => {
  expect(await waiting([{ seconds: 0 }])).toMatchObject({ waited: 'hold', seconds: 0 });
});

it('asks again a minute after an answer that took two', async () => {
  const { waited, said, seconds } = await waiting([{ seconds: 120 }, { seconds: 0 }]);
  expect(waited).toBe('hold');
  expect(said[0]).toMatch(/^waiting: nobody answered for a while/);
  expect(seconds).toBeGreaterThanOrEqual(180);
});

it('takes calls that ended without an answer for the same silence', async () => {
  const silent = { seconds: 30, fails: 'timeout' } as const;
  const { waited, seconds } = await waiting([silent, silent, { seconds: 0 }]);
  expect(waited).toBe('hold');
  expect(seconds).toBeGreaterThanOrEqual(120);
});

it('does not take a short one, or an answer that says no, for a silence', async () => {
  const refused = { seconds: 30, fails: 'conflict' } as const;
  const { waited, seconds } = await waiting([refused, refused, { seconds: 20 }]);
  expect(waited).toBe('hold');
  expect(seconds).toBeLessThan(90);
});
