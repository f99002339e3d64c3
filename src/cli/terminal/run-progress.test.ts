/** What a terminal shows of a run, told from its events alone. */
import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { moveSteps, planOf, stepOf } from '../../engine/testing.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { runLines, runProgress } from './run-progress.ts';
import { RunView } from './run-view.ts';

const PLAIN = pico.createColors(false);
const PLAN = planOf(
  [stepOf('back-up', { kind: 'back-up', objects: [] }), ...moveSteps('a', ['back-up'])],
  {
    predictions: {
      nodes: 1,
      pods: 1,
      podsRestarted: 1,
      maxRestartsPerPod: 1,
      podsStuck: 0,
      podOutageSeconds: { total: 0, p50: 0, p99: 0, max: 0 },
      dnsOutageSeconds: 0,
      apiUnauthorized: 0,
      volumesStuck: 0,
      policyGapSeconds: 0,
      longestPathGapMs: 0,
      makespanSeconds: 600,
    },
  },
);

function stepEvent(
  step: string,
  state: 'started' | 'done' | 'already-done' | 'failed',
  at: number,
): RunEvent {
  return {
    type: 'step',
    step,
    state,
    at,
    phase: 'move-nodes',
    title: `Title of ${step}`,
    nodes: [],
  };
}

function viewOf(...events: readonly RunEvent[]): RunView {
  const view = new RunView(PLAN);
  for (const event of events) view.onEvent(event);
  return view;
}

function textOf(view: RunView, seconds = view.seconds): string {
  return runLines(view, { seconds, said: 'p pauses', width: 80 }, PLAIN).join('\n');
}

describe('a run on a terminal', () => {
  it('has more steps, and no other progress, when a node has joined', () => {
    const view = viewOf(stepEvent('a/hold', 'started', 1), stepEvent('a/hold', 'done', 3));
    const before = view.phases();
    const [first] = PLAN.steps;
    view.grows({
      ...PLAN,
      steps: [...PLAN.steps, ...(first === undefined ? [] : [{ ...first, id: 'n/hold' }])],
    });
    expect(view.stepsDone).toBe(1);
    expect(view.phases().map(({ total }) => total)).not.toEqual(before.map(({ total }) => total));
    expect(textOf(view)).toContain(`1 of ${PLAN.steps.length + 1} steps`);
  });

  it('tells what runs and for how long, what has ended and how long it took', () => {
    const view = viewOf(
      stepEvent('a/hold', 'started', 1),
      stepEvent('a/hold', 'done', 3),
      stepEvent('a/label', 'started', 4),
    );
    const text = textOf(view, 10);
    expect(text).toContain('✓ Title of a/hold (2 s)');
    expect(text).toContain('… Title of a/label (6 s)');
    expect(text).toContain('1 of 7 steps');
  });

  it('tells which gate is waited for, and why, until it holds', () => {
    const gate = { type: 'gate', step: 'a/open', gate: 'conf-selected a cilium', at: 5 } as const;
    const waiting = { ...gate, state: 'waiting', message: 'a takes 10-flannel.conflist' } as const;
    expect(textOf(viewOf(waiting))).toMatch(
      /waits a\/open: conf-selected a cilium: a takes 10-flannel/,
    );
    const held = { ...gate, state: 'holds', message: 'holds' } as const;
    expect(textOf(viewOf(waiting, held))).not.toContain('waits');
  });

  it('reckons what is left from the prediction first, then from how the run goes', () => {
    expect(viewOf().secondsLeft()).toBe(600);
    const slow = viewOf(
      stepEvent('a/pods', 'started', 0),
      stepEvent('a/pods', 'done', 900),
    ).secondsLeft();
    expect(slow).toBeGreaterThan(100);
    expect(slow).toBeLessThan(600);
  });

  it('counts what was done before as done, and earns no time from it', () => {
    const view = viewOf(stepEvent('a/pods', 'already-done', 1));
    expect(view.stepsDone).toBe(1);
    expect(view.secondsLeft()).toBeLessThan(600);
    expect(textOf(view)).not.toContain('✓ Title of a/pods');
  });

  it('keeps every line within the terminal', () => {
    const long = { ...stepEvent('a/hold', 'started', 1), title: 'x'.repeat(300) } as RunEvent;
    for (const line of textOf(viewOf(long)).split('\n')) expect(line.length).toBeLessThan(80);
  });

  it('says in a pipe what happens, a line each, and nothing of what was done before', async () => {
    let out = '';
    const view = new RunView(PLAN);
    const progress = await runProgress({ write: (text) => void (out += text) }, view, PLAIN);
    progress.onEvent(stepEvent('back-up', 'already-done', 1));
    progress.onEvent(stepEvent('a/hold', 'started', 2));
    progress.onEvent({ ...stepEvent('a/hold', 'failed', 3), message: 'no such node' } as RunEvent);
    progress.finish();
    expect(out).toBe('2 s: started: Title of a/hold\n3 s: failed: Title of a/hold: no such node\n');
  });
});
