/** Losses are told with class, node, milliseconds and step, and a spent budget calls out once. */
import { expect, it } from 'vitest';
import type { PathObservation } from '../../model/rehearsal.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { ProberPort } from '../../ports/index.ts';
import { parseBudgets } from './budgets.ts';
import { LossWatch } from './watch-losses.ts';

function watched(budgets: string) {
  const events: RunEvent[] = [];
  const spent: string[] = [];
  const attended: (readonly string[])[] = [];
  let observed: readonly PathObservation[] = [];
  const wakers: (() => void)[] = [];
  const prober: ProberPort = {
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    failing: () => Promise.resolve([]),
    observations: () => Promise.resolve(observed),
    attend: (nodes) => {
      attended.push(nodes);
    },
  };
  const watch = new LossWatch({
    prober,
    clock: { now: () => 0, sleep: () => new Promise((wake) => wakers.push(wake)) },
    budgets: parseBudgets(budgets),
    seconds: () => 12,
    tell: (event) => events.push(event),
    onSpent: (message) => spent.push(message),
  });
  const lose = (node: string, seconds: number): void => {
    const end = { class: 'host', node } as const;
    observed = [
      {
        from: { class: 'pod-old', node: 'a' },
        to: end,
        protocol: 'udp',
        sent: 50,
        lost: 10,
        longestGapMs: seconds * 1_000,
        sourceSeen: null,
        gaps: [[3, 3 + seconds]],
      },
    ];
  };
  return {
    watch,
    lose,
    events,
    spent,
    attended,
    wake: () => wakers.splice(0).forEach((go) => go()),
  };
}

it('tells what a step lost when it ends', async () => {
  const { watch, lose, events, spent, attended } = watched('host=5s');
  lose('b', 1);
  await watch.stepBegins('install', ['x']);
  lose('b', 2);
  await watch.stepEnds('install');
  expect(events).toMatchObject([
    { type: 'probe', class: 'host', node: 'a', ms: 1_000 },
    { type: 'probe', class: 'host', node: 'a', ms: 1_000, step: 'install', at: 12 },
  ]);
  expect(events[0]).not.toHaveProperty('step');
  expect(spent).toEqual([]);
  expect(attended).toEqual([['x']]);
});

it('looks now and then while a step runs, and calls out when its budget is spent', async () => {
  const { watch, lose, spent, wake } = watched('host=5s');
  const running = watch.run();
  await watch.stepBegins('install', []);
  lose('b', 6);
  wake();
  await expect.poll(() => spent).toHaveLength(1);
  expect(spent[0]).toContain('6 s in install, 5 s are allowed');
  await watch.end();
  wake();
  await running;
  expect(spent).toHaveLength(1);
});
