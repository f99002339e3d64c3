/** DaemonSets, Deployments, StatefulSets: how many pods, where, and in which order they change. */
import { describe, expect, it } from 'vitest';
import { kubeletWorld, type KubeletWorld } from '../../../test/support/kubelet-world.ts';
import {
  cluster,
  cordon,
  daemonSetOf,
  deploymentOf,
  nodesOfApp,
  podsOfApp,
  readyPodsOfApp,
  rolloutRestart,
  statefulSetOf,
  WITH_FLANNEL,
} from '../../../test/support/workloads.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { startControllers } from './start-controllers.ts';

/** The fewest ready pods of an app over the seconds. */
function fewestReady(world: KubeletWorld, app: string, seconds: number): number {
  let fewest = Infinity;
  for (let step = 0; step < seconds * 10; step += 1) {
    world.run(0.1);
    fewest = Math.min(fewest, readyPodsOfApp(world, app).length);
  }
  return fewest;
}

describe('a DaemonSet', () => {
  it('has a pod on each node that fits, also on cordoned ones, and on nodes that come to fit', () => {
    const world = cluster(3);
    world.store.update('Node', undefined, 'w1', (node) => ({
      ...node,
      spec: { ...node.spec, taints: [{ key: 'special', effect: 'NoSchedule' }] },
    }));
    cordon(world, 'w2', true);
    world.run(1);
    world.store.create(daemonSetOf('agent'));
    world.run(10);
    expect(nodesOfApp(world, 'agent')).toEqual(['w0', 'w2']);
    world.store.update('Node', undefined, 'w1', (node) => ({ ...node, spec: {} }));
    world.run(10);
    expect(nodesOfApp(world, 'agent')).toEqual(['w0', 'w1', 'w2']);
    expect(world.store.get('DaemonSet', 'default', 'agent')?.status).toMatchObject({
      desiredNumberScheduled: 3,
      numberReady: 3,
      updatedNumberScheduled: 3,
    });
  });

  it('leaves a node whose label no longer matches', () => {
    const world = cluster(2);
    world.store.create(daemonSetOf('agent', { pod: { nodeSelector: { cni: 'old' } } }));
    for (const name of ['w0', 'w1']) {
      world.store.update('Node', undefined, name, (node) => ({
        ...node,
        metadata: { ...node.metadata, labels: { cni: 'old' } },
      }));
    }
    world.run(10);
    expect(nodesOfApp(world, 'agent')).toEqual(['w0', 'w1']);
    world.store.update('Node', undefined, 'w0', (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: {} },
    }));
    world.run(10);
    expect(nodesOfApp(world, 'agent')).toEqual(['w1']);
  });

  it('rolls one node after the other when its template changes', () => {
    const world = cluster(4);
    world.store.create(daemonSetOf('agent'));
    world.run(10);
    const before = new Set(podsOfApp(world, 'agent').map(({ metadata }) => metadata.uid));
    rolloutRestart(world, 'DaemonSet', 'agent');
    expect(fewestReady(world, 'agent', 30)).toBe(3);
    expect(podsOfApp(world, 'agent').some(({ metadata }) => before.has(metadata.uid))).toBe(false);
    expect(readyPodsOfApp(world, 'agent')).toHaveLength(4);
  });

  it('stops rolling when a replaced pod does not come back', () => {
    const world = cluster(3);
    world.store.create(daemonSetOf('agent'));
    world.run(10);
    for (const name of world.nodes.keys()) world.node(name).files.remove('/run/flannel/subnet.env');
    rolloutRestart(world, 'DaemonSet', 'agent');
    world.run(120);
    expect(readyPodsOfApp(world, 'agent')).toHaveLength(2);
  });

  it('with OnDelete changes nothing until somebody deletes a pod', () => {
    const world = cluster(2);
    world.store.create(daemonSetOf('agent', { updateStrategy: { type: 'OnDelete' } }));
    world.run(10);
    const before = podsOfApp(world, 'agent').map(({ metadata }) => metadata.uid);
    rolloutRestart(world, 'DaemonSet', 'agent');
    world.run(30);
    expect(podsOfApp(world, 'agent').map(({ metadata }) => metadata.uid)).toEqual(before);
  });

  it('takes what runs at the start as up to date, whatever its label is', () => {
    const world = kubeletWorld({ nodes: [{ name: 'w0', files: WITH_FLANNEL }] });
    const set = world.store.create(daemonSetOf('agent'));
    world.store.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'agent-x',
        namespace: 'default',
        labels: { app: 'agent', 'controller-revision-hash': '57fc8b9d6' },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'DaemonSet',
            name: 'agent',
            uid: set.metadata.uid ?? '',
            controller: true,
          },
        ],
      },
      spec: { nodeName: 'w0', containers: [{ name: 'c', image: 'pause' }] },
      status: { phase: 'Running' },
    });
    startControllers(world);
    world.run(30);
    expect(podsOfApp(world, 'agent').map(({ metadata }) => metadata.name)).toEqual(['agent-x']);
    expect(world.store.get('DaemonSet', 'default', 'agent')?.status?.updatedNumberScheduled).toBe(
      1,
    );
  });
});

describe('a Deployment', () => {
  it('keeps its replicas, spread over nodes', () => {
    const world = cluster(3);
    world.store.create(deploymentOf('web', 3));
    world.run(10);
    expect(nodesOfApp(world, 'web')).toEqual(['w0', 'w1', 'w2']);
    const [first] = podsOfApp(world, 'web');
    world.store.delete('Pod', 'default', first?.metadata.name ?? '');
    world.run(10);
    expect(readyPodsOfApp(world, 'web')).toHaveLength(3);
  });

  it('rolls without falling below what maxUnavailable allows', () => {
    const world = cluster(3);
    world.store.create(deploymentOf('web', 4));
    world.run(10);
    rolloutRestart(world, 'Deployment', 'web');
    expect(fewestReady(world, 'web', 40)).toBe(3);
    expect(readyPodsOfApp(world, 'web')).toHaveLength(4);
    const sets = world.store.list('ReplicaSet').map(({ spec }) => spec.replicas);
    expect(sets.toSorted()).toEqual([0, 4]);
  });

  it('does not tear down the old pods when the new ones never get ready', () => {
    const world = cluster(2);
    world.store.create(deploymentOf('web', 4));
    world.run(10);
    for (const name of world.nodes.keys()) world.node(name).files.remove('/run/flannel/subnet.env');
    rolloutRestart(world, 'Deployment', 'web');
    world.run(120);
    expect(readyPodsOfApp(world, 'web')).toHaveLength(3);
  });

  it('with Recreate never runs two versions side by side', () => {
    const world = cluster(2);
    world.store.create(deploymentOf('web', 2, { strategy: { type: 'Recreate' } }));
    world.run(10);
    const old = new Set(podsOfApp(world, 'web').map(({ metadata }) => metadata.uid));
    rolloutRestart(world, 'Deployment', 'web');
    for (let step = 0; step < 200; step += 1) {
      world.run(0.1);
      const kinds = new Set(podsOfApp(world, 'web').map(({ metadata }) => old.has(metadata.uid)));
      expect(kinds.size).toBeLessThan(2);
    }
    expect(readyPodsOfApp(world, 'web')).toHaveLength(2);
  });

  it('goes with all it owns', () => {
    const world = cluster(1);
    world.store.create(deploymentOf('web', 2));
    world.run(10);
    world.store.delete('Deployment', 'default', 'web');
    world.run(10);
    expect([world.store.list('ReplicaSet'), world.store.list('Pod')]).toEqual([[], []]);
  });

  it('says why admission refuses its pods, and creates them when it no longer does', () => {
    const world = cluster(1);
    world.store.create(deploymentOf('web', 1, { pod: { serviceAccountName: 'missing' } }));
    world.run(5);
    expect(podsOfApp(world, 'web')).toEqual([]);
    const events = eventRecorderOf(world)
      .list()
      .filter(({ reason }) => reason === 'FailedCreate');
    expect(events[0]?.message).toContain('serviceaccount "missing" not found');
    world.store.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'missing', namespace: 'default' },
    });
    world.run(30);
    expect(readyPodsOfApp(world, 'web')).toHaveLength(1);
  });
});

describe('a StatefulSet', () => {
  it('creates its pods in order and each waits for the one before', () => {
    const world = cluster(3);
    world.store.create(statefulSetOf('db', 3));
    world.run(0.5);
    expect(podsOfApp(world, 'db').map(({ metadata }) => metadata.name)).toEqual(['db-0']);
    world.run(20);
    expect(readyPodsOfApp(world, 'db').map(({ metadata }) => metadata.name)).toEqual([
      'db-0',
      'db-1',
      'db-2',
    ]);
  });

  it('rolls from the highest, one at a time', () => {
    const world = cluster(3);
    world.store.create(statefulSetOf('db', 3));
    world.run(20);
    const order: string[] = [];
    world.store.watch('Pod', ({ type, object }) => {
      if (type === 'deleted') order.push(object.metadata.name);
    });
    rolloutRestart(world, 'StatefulSet', 'db');
    expect(fewestReady(world, 'db', 40)).toBe(2);
    expect(order).toEqual(['db-2', 'db-1', 'db-0']);
  });

  it('does not replace a pod whose node is silent, since its name is taken', () => {
    const world = cluster(2);
    world.store.create(statefulSetOf('db', 1));
    world.run(20);
    const [pod] = podsOfApp(world, 'db');
    world.powerOff(pod?.spec.nodeName ?? '');
    world.run(600);
    const [after, ...others] = podsOfApp(world, 'db');
    expect(others).toEqual([]);
    expect(after?.metadata.uid).toBe(pod?.metadata.uid);
    expect(after?.metadata.deletionTimestamp).toBeDefined();
  });

  it('gives each pod its own claim back', () => {
    const world = cluster(1);
    world.store.create(
      statefulSetOf('db', 2, { volumeClaimTemplates: [{ metadata: { name: 'data' } }] }),
    );
    world.run(20);
    const claims = podsOfApp(world, 'db').map(
      ({ spec }) => spec.volumes?.[0]?.persistentVolumeClaim?.claimName,
    );
    expect(claims).toEqual(['data-db-0', 'data-db-1']);
  });
});
