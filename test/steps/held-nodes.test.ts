/** Which held nodes are opened when there is no room, or when the run stops. */
import { describe, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { runPlan } from '../../src/engine/run-plan.ts';
import { moveSteps, planOf } from '../../src/engine/testing.ts';
import type { NodeObject } from '../../src/model/kubernetes.ts';
import { openHeldNodes } from '../../src/steps/held-nodes.ts';

const WAVES = [['a'], ['b'], ['c']];
const NODES = WAVES.flat();
const PLAN = planOf(
  NODES.flatMap((node) => moveSteps(node)),
  { waves: WAVES },
);

/** After the steps of that node whose ids end like this. */
async function heldAfter(cluster: FakeCluster, node: string, ...names: readonly string[]) {
  const ids = new Set(names.map((name) => `${node}/${name}`));
  const steps = PLAN.steps.filter(({ id }) => ids.has(id));
  return cluster.drive(async () => {
    const { outcome } = await runPlan({ ...PLAN, steps }, cluster.ports);
    expect(outcome).toBe('done');
    return openHeldNodes(PLAN, cluster.ports.kubernetes);
  });
}

describe('openHeldNodes', () => {
  it('opens a node that has not begun', async () => {
    const cluster = new FakeCluster({ nodes: NODES });
    expect(await heldAfter(cluster, 'b', 'hold')).toEqual(['b']);
    expect(cluster.node('b').spec.unschedulable).toBeFalsy();
  });

  it('opens one that is prepared: what starts there gets the new network', async () => {
    const cluster = new FakeCluster({ nodes: NODES });
    expect(await heldAfter(cluster, 'b', 'hold', 'label', 'agent')).toEqual(['b']);
  });

  it('leaves one closed whose agent has not read the label', async () => {
    const cluster = new FakeCluster({ nodes: NODES });
    expect(await heldAfter(cluster, 'b', 'hold', 'label')).toEqual([]);
    expect(cluster.node('b').spec.unschedulable).toBe(true);
  });

  it('leaves the canary closed: nobody has tried its network yet', async () => {
    const cluster = new FakeCluster({ nodes: NODES });
    expect(await heldAfter(cluster, 'a', 'hold', 'label', 'agent')).toEqual([]);
  });

  it('leaves one closed that a step holds until its volumes have left', async () => {
    const cluster = new FakeCluster({ nodes: NODES });
    await heldAfter(cluster, 'b', 'hold', 'label', 'agent');
    const { metadata, spec, ...rest } = cluster.node('b');
    const mark = { 'regauge.dev/cordoned-by': `${PLAN.id}/volumes` };
    const held: NodeObject = {
      ...rest,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...mark } },
      spec: { ...spec, unschedulable: true },
    };
    cluster.put(held);
    expect(await cluster.drive(() => openHeldNodes(PLAN, cluster.ports.kubernetes))).toEqual([]);
  });
});
