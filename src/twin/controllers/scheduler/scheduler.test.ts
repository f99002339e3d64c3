/** Where pods go, and what is said of those that go nowhere. */
import { describe, expect, it } from 'vitest';
import { kubeletWorld, type KubeletWorld, podOn } from '../../../../test/support/kubelet-world.ts';
import {
  cordon,
  deploymentOf,
  nodesOfApp,
  podsOfApp,
  readyPodsOfApp,
  WITH_FLANNEL,
} from '../../../../test/support/workloads.ts';
import type { PodSpec } from '../../../model/kubernetes.ts';
import { startControllers } from '../start-controllers.ts';
import { bytesOf, milliCpuOf } from './node-state.ts';

function cluster(count: number): KubeletWorld {
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `w${index}`,
    files: WITH_FLANNEL,
    labels: { zone: index % 2 === 0 ? 'even' : 'odd' },
  }));
  const world = kubeletWorld({ nodes });
  startControllers(world);
  world.run(1);
  return world;
}

function message(world: KubeletWorld, name: string): string | undefined {
  const pod = world.store.get('Pod', 'default', name);
  return pod?.status.conditions?.find(({ type }) => type === 'PodScheduled')?.message;
}

function apartFrom(app: string, topologyKey = 'kubernetes.io/hostname'): Partial<PodSpec> {
  return {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey, labelSelector: { matchLabels: { app } } },
        ],
      },
    },
  };
}

function places(): string[] {
  const world = cluster(5);
  world.store.create(deploymentOf('web', 12));
  world.run(20);
  return podsOfApp(world, 'web').map(({ metadata, spec }) => `${metadata.name} ${spec.nodeName}`);
}

describe('the scheduler', () => {
  it('brings an evicted pod back to the only node that is not cordoned', () => {
    const world = cluster(4);
    world.store.create(deploymentOf('web', 4));
    world.run(10);
    for (const name of ['w0', 'w1', 'w3']) cordon(world, name, true);
    world.run(1);
    for (const pod of podsOfApp(world, 'web')) {
      if (pod.spec.nodeName === 'w2') world.store.delete('Pod', 'default', pod.metadata.name);
    }
    world.run(10);
    expect(nodesOfApp(world, 'web')).toEqual(['w0', 'w1', 'w2', 'w3']);
  });

  it('says why there is no node, and finds one after an uncordon', () => {
    const world = cluster(3);
    cordon(world, 'w0', true);
    cordon(world, 'w1', true);
    world.store.update('Node', undefined, 'w2', (node) => ({
      ...node,
      spec: {
        ...node.spec,
        taints: [{ key: 'node.cilium.io/agent-not-ready', effect: 'NoSchedule' }],
      },
    }));
    world.run(1);
    podOn(world, 'p', undefined);
    world.run(5);
    expect(message(world, 'p')).toBe(
      '0/3 nodes are available: 1 node(s) had untolerated taint {node.cilium.io/agent-not-ready: }, ' +
        '2 node(s) were unschedulable. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
    );
    cordon(world, 'w1', false);
    world.run(10);
    expect(world.store.get('Pod', 'default', 'p')?.spec.nodeName).toBe('w1');
  });

  it('keeps pods apart that must be, also from one on its way out', () => {
    const world = cluster(2);
    world.store.create(deploymentOf('db', 2, { pod: apartFrom('db') }));
    world.run(10);
    expect(nodesOfApp(world, 'db')).toEqual(['w0', 'w1']);
    const victim = podsOfApp(world, 'db').find(({ spec }) => spec.nodeName === 'w1');
    world.store.delete('Pod', 'default', victim?.metadata.name ?? '');
    world.run(0.5);
    expect(nodesOfApp(world, 'db')).toEqual(['-', 'w0', 'w1']);
    world.run(20);
    expect(nodesOfApp(world, 'db')).toEqual(['w0', 'w1']);
    expect(readyPodsOfApp(world, 'db')).toHaveLength(2);
  });

  it('counts domains of another topology key', () => {
    const world = cluster(4);
    world.store.create(deploymentOf('db', 3, { pod: apartFrom('db', 'zone') }));
    world.run(10);
    expect(nodesOfApp(world, 'db').filter((node) => node !== '-')).toHaveLength(2);
  });

  it('does not put more on a node than it has room for, and uses room that becomes free', () => {
    const world = cluster(1);
    const big = {
      name: 'c',
      image: 'pause',
      resources: { requests: { cpu: '1500m', memory: '1Gi' } },
    };
    for (const name of ['a', 'b', 'c']) podOn(world, name, undefined, { containers: [big] });
    world.run(5);
    expect(message(world, 'c')).toContain('1 Insufficient cpu');
    world.store.delete('Pod', 'default', 'a');
    world.run(20);
    expect(world.store.get('Pod', 'default', 'c')?.spec.nodeName).toBe('w0');
  });

  it('follows a volume to the nodes it can be reached from', () => {
    const world = cluster(3);
    world.store.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv' },
      spec: {
        local: { path: '/data' },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              {
                matchExpressions: [
                  { key: 'kubernetes.io/hostname', operator: 'In', values: ['w1'] },
                ],
              },
            ],
          },
        },
      },
    });
    world.store.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: { volumeName: 'pv' },
    });
    podOn(world, 'p', undefined, {
      volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }],
    });
    world.run(10);
    expect(world.store.get('Pod', 'default', 'p')?.spec.nodeName).toBe('w1');
  });

  it('decides the same with the same seed', () => {
    expect(places()).toEqual(places());
  });
});

describe('quantities', () => {
  it.each([
    ['250m', 250],
    ['2', 2000],
    ['0.5', 500],
  ])('%s is %d milli-CPU', (text, milli) => expect(milliCpuOf(text)).toBe(milli));

  it.each([
    ['128Mi', 128 * 2 ** 20],
    ['1G', 1e9],
    ['1000', 1000],
  ])('%s is %d bytes', (text, bytes) => expect(bytesOf(text)).toBe(bytes));
});
