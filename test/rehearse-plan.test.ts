/**
 * The post-mortem's cluster, migrated as regauge plans it, on the twin: the code that will run for
 * real must end clean there, go on after a stop, and take back what it did.
 */
import { describe, expect, it } from 'vitest';
import { planFor, rehearse } from '../src/cli/rehearsal-session.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { undoRun } from '../src/engine/undo-run.ts';
import type { PodObject } from '../src/model/kubernetes.ts';
import type { Plan } from '../src/model/plan.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { postMortemInput } from './support/post-mortem-input.ts';

function podNetworks(world: TwinWorld): Record<'old' | 'new', number> {
  const counts = { old: 0, new: 0 };
  for (const pod of appPods(world)) {
    if (pod.status.podIP?.startsWith('10.244.') === true) counts.old += 1;
    if (pod.status.podIP?.startsWith('10.245.') === true) counts.new += 1;
  }
  return counts;
}

function appPods(world: TwinWorld): readonly PodObject[] {
  return world.store
    .list('Pod')
    .filter(
      ({ spec, metadata }) => spec.hostNetwork !== true && metadata.namespace !== 'regauge-system',
    );
}

/** The plan up to and including the last step of the phase or wave whose id this is. */
function upTo(plan: Plan, last: string): Plan {
  const end = plan.steps.findIndex(({ id }) => id === last);
  return { ...plan, steps: plan.steps.slice(0, end + 1) };
}

async function rehearsedBytes(): Promise<string> {
  const input = postMortemInput();
  const { rehearsal } = await rehearse({ input, plan: planFor(input).plan, seed: 7 });
  return JSON.stringify(rehearsal);
}

describe('the planned migration of the post-mortem cluster', () => {
  it('ends clean: nothing stuck, every pod restarted once, no gap longer than a pod restart', async () => {
    const input = postMortemInput();
    const { rehearsal, run } = await rehearse({ input, plan: planFor(input).plan });
    expect(run.outcome).toBe('done');
    expect(rehearsal.outcome).toBe('clean');
    expect(rehearsal.failures).toEqual([]);
    const { summary } = rehearsal;
    expect(summary).toMatchObject({
      nodes: 7,
      podsStuck: 0,
      maxRestartsPerPod: 1,
      dnsOutageSeconds: 0,
      apiUnauthorized: 0,
      volumesStuck: 0,
    });
    expect(summary.longestPathGapMs).toBeLessThan(summary.podOutageSeconds.max * 1000);
    expect(rehearsal.invariants.filter(({ held }) => !held)).toEqual([]);
  });

  it('says the same, byte for byte, for the same seed', async () => {
    expect(await rehearsedBytes()).toBe(await rehearsedBytes());
  });

  it('leaves nothing of Flannel, kube-proxy or regauge behind', async () => {
    const input = postMortemInput();
    const { world } = buildWorld(input, { seed: 1 });
    const ports = createTwinPorts(world);
    const result = await world.kernel.drive(() => runPlan(planFor(input).plan, ports));
    expect(result.outcome).toBe('done');
    const names = world.store.list('DaemonSet').map(({ metadata }) => metadata.name);
    expect(names).not.toContain('kube-flannel');
    expect(names).not.toContain('kube-proxy');
    for (const { files, network } of world.nodes.values()) {
      expect(files.list('/etc/cni/net.d')).toEqual(['05-cilium.conflist']);
      expect(network.links()).not.toContain('flannel.1');
    }
    for (const { metadata, spec } of world.store.list('Node')) {
      const keys = [
        ...Object.keys(metadata.labels ?? {}),
        ...Object.keys(metadata.annotations ?? {}),
      ];
      expect(keys.filter((key) => /migration|regauge|flannel/.test(key))).toEqual([]);
      expect(spec.unschedulable).not.toBe(true);
    }
  });

  it.each(['reboot', 'sandbox-restart'] as const)(
    'leaves nothing stuck with %s',
    async (strategy) => {
      const input = postMortemInput();
      const { rehearsal } = await rehearse({ input, plan: planFor(input, { strategy }).plan });
      expect(rehearsal.summary).toMatchObject({ podsStuck: 0, volumesStuck: 0 });
      expect(rehearsal.outcome).not.toBe('harmful');
      expect(rehearsal.outcome).not.toBe('stuck');
    },
  );

  it('goes on from anywhere: stopped after any wave and run again, each pod is restarted once', async () => {
    const input = postMortemInput();
    const { plan } = planFor(input);
    const { world } = buildWorld(input, { seed: 1 });
    const ports = createTwinPorts(world);
    const before = new Map(appPods(world).map((pod) => [pod.metadata.uid, pod.metadata.name]));
    for (const last of [
      'install-secondary/verify',
      'move-nodes/wave-01/verify',
      'move-nodes/wave-04/verify',
    ]) {
      const part = await world.kernel.drive(() =>
        runPlan(upTo(plan, last), ports, { keepProbing: true }),
      );
      expect(part.failed).toBeUndefined();
    }
    const moved = new Set(
      appPods(world)
        .filter((pod) => pod.status.podIP?.startsWith('10.245.') === true)
        .map(({ metadata }) => metadata.uid),
    );
    const result = await world.kernel.drive(() => runPlan(plan, ports));
    expect(result.outcome).toBe('done');
    const after = new Set(appPods(world).map(({ metadata }) => metadata.uid));
    // What had moved before the last run is the very same pod still.
    expect([...moved].filter((uid) => !after.has(uid))).toEqual([]);
    expect(before.size).toBeGreaterThan(70);
    expect(podNetworks(world).old).toBe(0);
  });

  it('takes back two moved waves, and the cluster is on Flannel as before', async () => {
    const input = postMortemInput();
    const plan = upTo(planFor(input).plan, 'move-nodes/wave-02/verify');
    const { world } = buildWorld(input, { seed: 1 });
    const ports = createTwinPorts(world);
    const total = podNetworks(world).old;
    const done = await world.kernel.drive(() => runPlan(plan, ports));
    expect(podNetworks(world).new).toBeGreaterThan(10);
    const undone = await world.kernel.drive(() => undoRun(plan, new Set(done.reached), ports));
    expect(undone.failed).toBeUndefined();
    expect(podNetworks(world)).toEqual({ old: total, new: 0 });
    expect(world.store.list('DaemonSet').map(({ metadata }) => metadata.name)).not.toContain(
      'cilium',
    );
    for (const { files } of world.nodes.values())
      expect(files.list('/etc/cni/net.d')).toEqual(['10-flannel.conflist']);
    for (const { spec } of world.store.list('Node')) expect(spec.unschedulable).not.toBe(true);
  });
});
