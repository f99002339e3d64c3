/**
 * Goal: before the first workload is evicted, a pod that nobody needs has been on the new network and has
 * met one on the old. Method: plans run on twins, also on ones whose networks do not meet.
 */
import { describe, expect, it } from 'vitest';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { MIGRATION_LABEL } from '../src/planner/choices.ts';
import type { NodeStrategy } from '../src/model/plan.ts';
import type { RunEvent } from '../src/model/run-event.ts';
import { networkOf } from '../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { smallCluster } from './support/small-cluster.ts';

const input = smallCluster();

function planned(strategy: NodeStrategy) {
  return planFor(input, { strategy }).plan;
}

async function run(break_: (world: TwinWorld) => void, strategy: NodeStrategy = 'evict-in-place') {
  const plan = planned(strategy);
  const { world } = buildWorld(input, { seed: 1 });
  const before = workloads(world);
  const events: RunEvent[] = [];
  break_(world);
  const result = await world.kernel.drive(() =>
    runPlan(plan, createTwinPorts(world), {
      gateTimeoutSeconds: 120,
      onEvent: (event) => events.push(event),
    }),
  );
  return { result, events, world, isUntouched: before.join() === workloads(world).join() };
}

function workloads(world: TwinWorld): readonly string[] {
  return world.store.list('Pod', 'apps').map(({ metadata }) => metadata.uid ?? '');
}

describe('the canary', () => {
  it.each(['evict-in-place', 'reboot', 'sandbox-restart'] as const)(
    'comes before the first restart of pods with %s, on the first node only',
    (strategy) => {
      const { steps } = planned(strategy);
      const canaries = steps.filter(({ kind }) => kind === 'move-probe');
      expect(canaries).toHaveLength(1);
      const at = steps.findIndex(({ kind }) => kind === 'move-probe');
      expect(at).toBeLessThan(steps.findIndex(({ kind }) => kind === 'restart-pods'));
      const gated = steps.find(({ gates }) => gates.some(({ kind }) => kind === 'canaries-meet'));
      expect(gated?.dependsOn).toContain(canaries[0]?.id);
      expect(gated?.gates.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['canaries-meet', 'dns-answers', 'paths-clear']),
      );
    },
  );

  it('meets a pod on the old network, both ways, while no workload has moved', async () => {
    const { result, events } = await run(() => undefined);
    expect(result.failed).toBeUndefined();
    const order = events.flatMap((event) =>
      event.type === 'step' && event.state === 'done'
        ? [event.step.split('/').at(-1) ?? '']
        : event.type === 'gate' && event.state === 'holds'
          ? [event.gate.split(' ')[0] ?? '']
          : [],
    );
    const [canary, met, restart] = ['canary', 'canaries-meet', 'restart-pods'].map((name) =>
      order.indexOf(name),
    );
    expect(canary).toBeGreaterThan(0);
    expect(met).toBeGreaterThan(canary ?? 0);
    expect(restart).toBeGreaterThan(met ?? 0);
  });

  it('stops the run before any workload is touched where the networks do not meet', async () => {
    const { result, isUntouched } = await run((world) => {
      // Somebody takes Flannel's device away as soon as the node is labelled.
      world.store.watch('Node', ({ object }) => {
        const node = world.nodes.get(object.metadata.name);
        if (node === undefined || object.metadata.labels?.[MIGRATION_LABEL] === undefined) return;
        world.kernel.after(1_000, () => networkOf(node).removeLink('flannel.1'));
      });
    });
    expect(result.failed?.step).toMatch(/^move-nodes\/t-w\d\/open$/);
    expect(result.failed?.message).toMatch(/canaries-meet.*not seen to (reach|be reached)/);
    expect(isUntouched).toBe(true);
  });
});
