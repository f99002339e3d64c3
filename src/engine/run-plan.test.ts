/**
 * The engine over a small fake cluster: order, gates, budgets, failures that pass, stop and undo,
 * and that running again goes on where it stopped.
 */
import { describe, expect, it } from 'vitest';
import { FakeCluster, type FakeOptions } from '../../test/support/fake-cluster.ts';
import { RegaugeError } from '../base/errors.ts';
import type { RunEvent } from '../model/run-event.ts';
import { runPlan, type RunOptions } from './run-plan.ts';
import { moveSteps, planOf, stepOf } from './testing.ts';
import { undoRun } from './undo-run.ts';

const TWO: FakeOptions = { nodes: ['a', 'b'], deployments: { web: ['a', 'a', 'b'], api: ['a'] } };
const HOLD_B = stepOf('hold-others', {
  kind: 'cordon',
  nodes: ['b'],
  exceptLabel: 'io.cilium.migration/cilium-default',
});
const UNMET = stepOf(
  'unmet',
  { kind: 'uncordon', nodes: ['a'] },
  { after: ['a/label'], gates: [{ kind: 'conf-selected', node: 'a', network: 'cilium' }] },
);
const bothNodes = () =>
  planOf([HOLD_B, ...moveSteps('a', ['hold-others']), ...moveSteps('b', ['a/verify'])]);

async function run(cluster: FakeCluster, plan = bothNodes(), options: RunOptions = {}) {
  const events: RunEvent[] = [];
  const result = await cluster.drive(() =>
    runPlan(plan, cluster.ports, { ...options, onEvent: (event) => events.push(event) }),
  );
  return { result, events };
}

function oldPods(cluster: FakeCluster): number {
  return cluster
    .pods()
    .filter(
      (pod) => pod.spec.hostNetwork !== true && pod.status.podIP?.startsWith('10.244.') === true,
    ).length;
}

describe('runPlan', () => {
  it('moves every pod, each restarted once, and leaves no cordon', async () => {
    const cluster = new FakeCluster(TWO);
    const { result } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(oldPods(cluster)).toBe(0);
    expect(cluster.evictions).toHaveLength(4);
    expect(['a', 'b'].map((name) => cluster.node(name).spec.unschedulable)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('never restarts two pods of a small owner at a time', async () => {
    const cluster = new FakeCluster({ nodes: ['a'], deployments: { dns: ['a', 'a'] } });
    await run(cluster, planOf(moveSteps('a')));
    const [first, second] = cluster.evictions;
    // Four seconds until the replacement is ready.
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(4_000);
  });

  it('asks a budget again after five seconds and goes on when it allows', async () => {
    const cluster = new FakeCluster({
      ...TWO,
      budget: (pod, now) =>
        pod.metadata.labels?.['app'] === 'api' && now < 60_000
          ? "Cannot evict pod as it would violate the pod's disruption budget."
          : undefined,
    });
    const { result } = await run(cluster);
    expect(result.outcome).toBe('done');
    const api = cluster.evictions.find(({ pod }) => pod.startsWith('api'));
    expect(api?.at).toBeGreaterThanOrEqual(60_000);
    expect(api?.at).toBeLessThan(66_000);
  });

  it('names who is in the way when a budget never allows, and offers the undo', async () => {
    const cluster = new FakeCluster({
      ...TWO,
      budget: (pod) => (pod.metadata.labels?.['app'] === 'api' ? 'no room' : undefined),
    });
    const { result } = await run(cluster);
    expect(result.outcome).toBe('stopped');
    expect(result.failed?.step).toBe('a/pods');
    expect(result.failed?.message).toMatch(/default\/api-.*no room/);
    expect(result.reached).toContain('a/label');
    expect(result.reached).not.toContain('b/label');
    expect(cluster.node('b').metadata.labels).toEqual({});
  });

  it('opens nodes that have not moved when it stops, and no other', async () => {
    const cluster = new FakeCluster({
      ...TWO,
      budget: (pod) => (pod.metadata.labels?.['app'] === 'api' ? 'no room' : undefined),
    });
    const steps = [HOLD_B, ...moveSteps('a', ['hold-others'])];
    const { events } = await run(cluster, planOf(steps));
    expect(cluster.node('b').spec.unschedulable).toBeUndefined();
    expect(events).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(/opened for pods again.*: b$/) }),
    );
    // A node in the middle of its move, and one that somebody else cordoned, stay as they are.
    const broken = new FakeCluster(TWO);
    Object.assign(broken.node('b').spec, { unschedulable: true });
    const half = await run(broken, planOf([...steps.slice(0, 3), UNMET]));
    expect(half.result.outcome).toBe('stopped');
    expect(['a', 'b'].map((name) => broken.node(name).spec.unschedulable)).toEqual([true, true]);
  });

  it('gives the node back to the old network on undo', async () => {
    const blocked = { on: true };
    const cluster = new FakeCluster({
      ...TWO,
      budget: (pod) =>
        blocked.on && pod.metadata.labels?.['app'] === 'api' ? 'no room' : undefined,
    });
    const { result } = await run(cluster);
    blocked.on = false;
    const undone = await cluster.drive(() =>
      undoRun(bothNodes(), new Set(result.reached), cluster.ports),
    );
    expect(undone.outcome).toBe('done');
    expect([...(cluster.files.get('a')?.keys() ?? [])]).toEqual(['10-flannel.conflist']);
    expect(cluster.node('a').metadata.labels).toEqual({});
    expect(oldPods(cluster)).toBe(4);
  });

  it('goes on where it stopped when it is run again', async () => {
    const blocked = { on: true };
    const cluster = new FakeCluster({
      ...TWO,
      budget: (pod) =>
        blocked.on && pod.metadata.labels?.['app'] === 'api' ? 'no room' : undefined,
    });
    await run(cluster);
    blocked.on = false;
    const { result, events } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(cluster.evictions).toHaveLength(4);
    const again = events
      .filter((event) => event.type === 'step' && event.state === 'already-done')
      .map((event) => (event.type === 'step' ? event.step : ''));
    // Opened when the run stopped, and held again: b has not moved.
    expect(again).not.toContain('hold-others');
    expect(again).toEqual(expect.arrayContaining(['a/hold', 'a/label', 'a/agent', 'a/open']));
  });

  it('stops at a gate that does not hold, without starting the step', async () => {
    const cluster = new FakeCluster({ ...TWO, agentTakesConf: false });
    const { result } = await run(cluster, planOf(moveSteps('a')), { gateTimeoutSeconds: 60 });
    expect(result.failed?.step).toBe('a/agent');
    expect(cluster.evictions).toEqual([]);
  });

  it('takes a gate that cannot be evaluated for one that does not hold', async () => {
    const cluster = new FakeCluster({
      ...TWO,
      failing: (what) =>
        what === 'list Deployment'
          ? new RegaugeError('forbidden', 'deployments is forbidden')
          : undefined,
    });
    const plan = planOf([
      stepOf('open', { kind: 'cordon', nodes: ['a'] }, { gates: [{ kind: 'workloads-ready' }] }),
    ]);
    const { result } = await run(cluster, plan, { gateTimeoutSeconds: 30 });
    expect(result.failed?.message).toMatch(/could not be evaluated: deployments is forbidden/);
    expect(cluster.node('a').spec.unschedulable).toBeUndefined();
  });

  it('waits for paths that broke, not for those that were broken before', async () => {
    const path = {
      from: { class: 'pod-old', node: 'a' },
      to: { class: 'egress', node: 'a' },
      sinceMs: 0,
      message: 'no route',
    } as const;
    const cluster = new FakeCluster(TWO);
    cluster.failingPaths = [path];
    const gated = planOf([
      stepOf('first', { kind: 'cordon', nodes: ['a'] }, { gates: [{ kind: 'paths-clear' }] }),
    ]);
    expect((await run(cluster, gated)).result.outcome).toBe('done');
    const broken = new FakeCluster(TWO);
    broken.kernel.after(20, () => {
      broken.failingPaths = [path];
    });
    const late = planOf([
      stepOf('wait', { kind: 'cordon', nodes: ['b'] }),
      stepOf(
        'first',
        { kind: 'cordon', nodes: ['a'] },
        { after: ['wait'], gates: [{ kind: 'paths-clear' }] },
      ),
    ]);
    expect((await run(broken, late, { gateTimeoutSeconds: 10 })).result.failed?.step).toBe('first');
  });

  it('tries again when the API is away for a moment, and not when it refuses', async () => {
    const away = new FakeCluster({
      ...TWO,
      failing: (what, times) =>
        what === 'patch Node a' && times <= 3
          ? new RegaugeError('unreachable', 'dial tcp: i/o timeout')
          : undefined,
    });
    expect((await run(away)).result.outcome).toBe('done');
    const refusing = new FakeCluster({
      ...TWO,
      failing: (what) =>
        what === 'patch Node a'
          ? new RegaugeError('refused', 'admission webhook denied the request')
          : undefined,
    });
    const { result } = await run(refusing);
    expect(result.failed?.message).toMatch(/denied/);
  });

  it('gives pods that nobody makes again a new sandbox instead of evicting them', async () => {
    const cluster = new FakeCluster({ nodes: ['a', 'b'], bare: { lonely: 'a' } });
    const { result } = await run(cluster);
    expect(result.outcome).toBe('done');
    expect(cluster.sandboxes).toEqual(['lonely']);
    expect(cluster.evictions).toEqual([]);
  });

  it('restarts everything in place with sandbox-restart', async () => {
    const cluster = new FakeCluster({ nodes: ['a'], deployments: { web: ['a', 'a'] } });
    const { result } = await run(cluster, planOf(moveSteps('a', [], 'sandbox-restart')));
    expect(result.outcome).toBe('done');
    expect(cluster.sandboxes).toHaveLength(2);
    expect(oldPods(cluster)).toBe(0);
  });

  it('drains, reboots and opens the node again with reboot', async () => {
    const cluster = new FakeCluster({ nodes: ['a', 'b'], deployments: { web: ['a'] } });
    const steps = moveSteps('a', [], 'reboot');
    const { result } = await run(cluster, planOf(steps));
    expect(result.outcome).toBe('done');
    expect(cluster.node('a').status.nodeInfo?.bootID).toBe('a-2');
    const left = Object.keys(cluster.node('a').metadata.annotations ?? {});
    expect(left.filter((key) => /boot|cordon/.test(key))).toEqual([]);
    expect(cluster.node('a').spec.unschedulable).toBeUndefined();
  });

  it('refuses a plan whose steps are out of order', async () => {
    const cluster = new FakeCluster(TWO);
    const plan = planOf([stepOf('late', { kind: 'cordon', nodes: ['a'] }, { after: ['missing'] })]);
    await expect(run(cluster, plan)).rejects.toThrow(/does not come before/);
  });
});
