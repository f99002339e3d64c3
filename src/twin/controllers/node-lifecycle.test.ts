/** What follows when a node goes silent or says that it is not ready. */
import { describe, expect, it } from 'vitest';
import { CONF_DIR, type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';
import {
  cluster,
  cordon,
  daemonSetOf,
  deploymentOf,
  podsOfApp,
  WITH_FLANNEL,
} from '../../../test/support/workloads.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { isPodReady } from '../kubelet/pod-status.ts';

function ready(world: KubeletWorld, name: string): string | undefined {
  return world.store
    .get('Node', undefined, name)
    ?.status.conditions?.find(({ type }) => type === 'Ready')?.status;
}

function taints(world: KubeletWorld, name: string): string[] {
  const node = world.store.get('Node', undefined, name);
  return (node?.spec.taints ?? []).map(
    ({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`,
  );
}

function taintedForEviction(world: KubeletWorld): number {
  return [...world.nodes.keys()].filter((name) =>
    taints(world, name).some((taint) => taint.endsWith('NoExecute')),
  ).length;
}

describe('a silent node', () => {
  it('is Unknown 40 to 50 s after it went down, and its pods are no longer ready', () => {
    const world = cluster(3);
    podOn(world, 'p', 'w0');
    world.run(5);
    world.powerOff('w0');
    world.run(39);
    expect(ready(world, 'w0')).toBe('True');
    world.run(12);
    expect(ready(world, 'w0')).toBe('Unknown');
    expect(taints(world, 'w0')).toEqual(['unreachable:NoSchedule', 'unreachable:NoExecute']);
    const pod = world.store.get('Pod', 'default', 'p');
    expect([pod?.status.phase, pod === undefined || isPodReady(pod)]).toEqual(['Running', false]);
  });

  it('that reboots within the grace is never Unknown', () => {
    const world = cluster(3);
    world.powerOff('w0');
    world.run(30);
    world.powerOn('w0');
    world.run(60);
    expect(world.kernel.occurrences.map(({ kind }) => kind)).not.toContain('node.unreachable');
    expect(ready(world, 'w0')).toBe('True');
  });

  it('loses its pods after 300 s, but not those of DaemonSets', () => {
    const world = cluster(3);
    world.store.create(deploymentOf('web', 3));
    world.store.create(daemonSetOf('agent'));
    world.run(10);
    const victim = podsOfApp(world, 'web').find(({ spec }) => spec.nodeName === 'w0');
    world.powerOff('w0');
    world.run(340);
    expect(
      world.store.get('Pod', 'default', victim?.metadata.name ?? '')?.metadata.deletionTimestamp,
    ).toBeUndefined();
    world.run(20);
    const after = world.store.get('Pod', 'default', victim?.metadata.name ?? '');
    expect(after?.metadata.deletionTimestamp).toBeDefined();
    const agent = podsOfApp(world, 'agent').find(({ spec }) => spec.nodeName === 'w0');
    expect(agent?.metadata.deletionTimestamp).toBeUndefined();
    const events = eventRecorderOf(world)
      .list()
      .map(({ reason }) => reason);
    expect(events).toContain('TaintManagerEviction');
    expect(podsOfApp(world, 'web').filter(({ spec }) => spec.nodeName !== 'w0')).toHaveLength(3);
  });

  it('is itself again, without taints, once it is back', () => {
    const world = cluster(3);
    world.powerOff('w0');
    world.run(120);
    world
      .node('w0')
      .files.write(
        '/run/flannel/subnet.env',
        'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
      );
    world.powerOn('w0');
    world.run(30);
    expect([ready(world, 'w0'), taints(world, 'w0')]).toEqual(['True', []]);
  });
});

describe('a node that says it is not ready', () => {
  it('is tainted, and freed again before its pods are due', () => {
    const world = cluster(3);
    podOn(world, 'p', 'w0', {
      tolerations: [
        {
          key: 'node.kubernetes.io/not-ready',
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        },
      ],
    });
    world.run(5);
    world.node('w0').files.remove(`${CONF_DIR}/10-flannel.conflist`);
    world.run(30);
    expect(taints(world, 'w0')).toEqual(['not-ready:NoSchedule', 'not-ready:NoExecute']);
    world.run(200);
    world
      .node('w0')
      .files.write(
        `${CONF_DIR}/10-flannel.conflist`,
        WITH_FLANNEL[`${CONF_DIR}/10-flannel.conflist`] ?? '',
      );
    world.run(600);
    expect(taints(world, 'w0')).toEqual([]);
    expect(world.store.get('Pod', 'default', 'p')?.metadata.deletionTimestamp).toBeUndefined();
  });
});

describe('the rate of evictions', () => {
  it('is one node in ten seconds', () => {
    const world = cluster(10);
    for (const name of ['w0', 'w1', 'w2', 'w3']) world.powerOff(name);
    world.run(51);
    expect(taintedForEviction(world)).toBeLessThanOrEqual(2);
    world.run(40);
    expect(taintedForEviction(world)).toBe(4);
  });

  it('is nothing in a small cluster that is mostly down, and nothing when all of it is', () => {
    for (const down of [6, 10]) {
      const world = cluster(10);
      for (const name of [...world.nodes.keys()].slice(0, down)) {
        world.node(name).files.remove(`${CONF_DIR}/10-flannel.conflist`);
      }
      world.run(400);
      // A few may be tainted before enough nodes have reported.
      expect(taintedForEviction(world)).toBeLessThan(4);
    }
  });
});

describe('a cordon', () => {
  it('shows as a taint and goes with it', () => {
    const world = cluster(1);
    cordon(world, 'w0', true);
    world.run(1);
    expect(taints(world, 'w0')).toEqual(['unschedulable:NoSchedule']);
    cordon(world, 'w0', false);
    world.run(1);
    expect(taints(world, 'w0')).toEqual([]);
  });
});
