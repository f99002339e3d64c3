/** Pausing and stopping a run: at safe points only, at once when asked twice, and gone on with after. */
import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../../../test/support/fake-cluster.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { FailingPath } from '../../ports/index.ts';
import { runPlan, type RunOptions, type RunResult } from '../run-plan.ts';
import { moveSteps, planOf, stepOf } from '../testing.ts';
import { auditLog } from './audit-log.ts';
import { guardPorts } from './guard-ports.ts';
import { RunControl } from './run-control.ts';

const PLAN = planOf([
  stepOf('hold-others', {
    kind: 'cordon',
    nodes: ['b'],
    exceptLabel: 'io.cilium.migration/cilium-default',
  }),
  ...moveSteps('a', ['hold-others']),
  ...moveSteps('b', ['a/verify']),
]);

function cluster(): FakeCluster {
  return new FakeCluster({ nodes: ['a', 'b'], deployments: { web: ['a', 'a', 'b'] } });
}

function run(on: FakeCluster, options: RunOptions): Promise<RunResult> {
  return on.drive(() => runPlan(PLAN, on.ports, options));
}

/** Calls back when the step begins. */
function at(step: string, act: () => void): (event: RunEvent) => void {
  return (event) => {
    if (event.type === 'step' && event.step === step && event.state === 'started') act();
  };
}

function egressOf(node: string): FailingPath {
  return {
    from: { class: 'host', node },
    to: { class: 'egress', node },
    sinceMs: 0,
    message: 'no route',
  };
}

describe('pausing a run', () => {
  it('lets what runs come to its end and starts nothing more', async () => {
    const on = cluster();
    const control = new RunControl();
    const paused = await run(on, { control, onEvent: at('a/pods', () => control.pause()) });
    expect(paused.outcome).toBe('paused');
    expect(paused.done.at(-1)).toBe('a/pods');
    expect(paused.failed).toBeUndefined();
    const rest = await run(on, {});
    expect(rest.outcome).toBe('done');
    expect(on.evictions).toHaveLength(3);
  });

  it('does not stand between the label of a node and the agent that obeys it', async () => {
    const on = cluster();
    const control = new RunControl();
    const paused = await run(on, { control, onEvent: at('a/label', () => control.pause()) });
    expect(paused.done.at(-1)).toBe('a/open');
    expect(on.node('a').spec.unschedulable).toBeUndefined();
  });

  it('does not wait for a gate that may never hold', async () => {
    const on = cluster();
    on.failingPaths = [];
    const control = new RunControl();
    const plan = planOf([
      stepOf(
        'gated',
        { kind: 'cordon', nodes: ['a'] },
        { gates: [{ kind: 'no-old-pods', nodes: ['a'] }] },
      ),
    ]);
    on.kernel.after(60_000, () => control.pause());
    const paused = await on.drive(() => runPlan(plan, on.ports, { control }));
    expect(paused.outcome).toBe('paused');
    expect(paused.seconds).toBeLessThan(70);
    expect(on.node('a').spec.unschedulable).toBeUndefined();
  });

  it('ends without doing the step when it is asked before the first one', async () => {
    const on = cluster();
    const control = new RunControl();
    control.pause();
    const paused = await run(on, { control });
    expect(paused).toMatchObject({ outcome: 'paused', done: [] });
  });
});

describe('stopping a run', () => {
  it('says within which step it ended, and what is left is gone on with', async () => {
    const on = cluster();
    const control = new RunControl();
    const stop = (): void => control.stop('stopped by hand');
    const audit = auditLog({ append: () => Promise.resolve() });
    const fence = { token: 1, check: () => Promise.resolve(), remainingMs: () => 1_000 };
    const ports = guardPorts(on.ports, { control, fence, audit });
    const halted = await on.drive(() =>
      runPlan(PLAN, ports, { control, onEvent: at('a/pods', () => on.kernel.after(3_000, stop)) }),
    );
    expect(halted.outcome).toBe('halted');
    expect(halted.halted).toEqual({ message: 'stopped by hand', steps: ['a/pods'] });
    expect(halted.done).toContain('a/open');
    expect(halted.failed).toBeUndefined();
    const rest = await run(on, {});
    expect(rest.outcome).toBe('done');
    expect(on.evictions).toHaveLength(3);
  });
});

describe('a gate', () => {
  it('says anew what it waits for whenever that changes', async () => {
    const on = cluster();
    const plan = planOf([
      stepOf('wait', { kind: 'cordon', nodes: ['b'] }),
      stepOf(
        'gated',
        { kind: 'cordon', nodes: ['a'] },
        { after: ['wait'], gates: [{ kind: 'paths-clear' }] },
      ),
    ]);
    on.kernel.after(10, () => (on.failingPaths = [egressOf('a')]));
    on.kernel.after(20_000, () => (on.failingPaths = [egressOf('b')]));
    on.kernel.after(40_000, () => (on.failingPaths = []));
    const told: string[] = [];
    const result = await on.drive(() =>
      runPlan(plan, on.ports, {
        onEvent: (event) => {
          if (event.type === 'gate' && event.state === 'waiting') told.push(event.message);
        },
      }),
    );
    expect(result.outcome).toBe('done');
    expect(told.map((message) => message.slice(0, 9))).toEqual(['host on a', 'host on b']);
  });

  it('that gets a 401 ends the run at once: it is no blip (Deckhouse takes it for one)', async () => {
    const on = new FakeCluster({
      nodes: ['a'],
      failing: (what) =>
        what === 'list Deployment'
          ? new RegaugeError('unauthenticated', 'Unauthorized')
          : undefined,
    });
    const plan = planOf([
      stepOf('gated', { kind: 'cordon', nodes: ['a'] }, { gates: [{ kind: 'workloads-ready' }] }),
    ]);
    const result = await on.drive(() => runPlan(plan, on.ports));
    expect(result.failed?.message).toMatch(/Unauthorized/);
    expect(result.seconds).toBeLessThan(5);
  });
});
