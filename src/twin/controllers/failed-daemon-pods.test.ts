/**
 * Goal: pods that a node ended or refused are replaced as their controllers do it: a DaemonSet's with
 * a back-off per node, a Deployment's at once and elsewhere.
 */
import { describe, expect, it } from 'vitest';
import { kubeletWorld, type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';
import {
  daemonSetOf,
  deploymentOf,
  nodesOfApp,
  podsOfApp,
  readyPodsOfApp,
  WITH_FLANNEL,
} from '../../../test/support/workloads.ts';
import type { Constants } from '../constants.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { startControllers } from './start-controllers.ts';

function cluster(constants: Partial<Constants> = {}): KubeletWorld {
  const nodes = ['a', 'b'].map((name) => ({ name, files: WITH_FLANNEL }));
  const world = kubeletWorld({ nodes, constants });
  startControllers(world);
  world.run(1);
  return world;
}

/** Everywhere, whatever the node says of itself. */
const EVERYWHERE = {
  pod: {
    hostNetwork: true,
    terminationGracePeriodSeconds: 1,
    tolerations: [{ operator: 'Exists' as const }],
  },
};

function shutDown(world: KubeletWorld, node: string): void {
  world.node(node).kubelet.shutDown?.(() => undefined);
}

describe('a DaemonSet pod that failed', () => {
  it('is made again at once, then after 1, 2 and 4 s while the node refuses it', () => {
    // A pod that ends slowly keeps the kubelet from being through with its shutdown.
    const world = cluster({ containerStopMs: 60_000 });
    podOn(world, 'slow', 'a', { hostNetwork: true, terminationGracePeriodSeconds: 14 });
    world.store.create(daemonSetOf('agent', EVERYWHERE));
    world.run(5);
    const made: number[] = [];
    world.store.watch('Pod', ({ type, object }) => {
      const { labels } = object.metadata;
      if (type === 'added' && labels?.['app'] === 'agent') made.push(world.kernel.now());
    });
    shutDown(world, 'a');
    world.run(13);
    const gaps = made.slice(1).map((at, index) => Math.round((at - (made[index] ?? 0)) / 100) / 10);
    expect(gaps).toEqual([1, 2, 4]);
    const events = eventRecorderOf(world).of({
      kind: 'DaemonSet',
      namespace: 'default',
      name: 'agent',
    });
    expect(events.map(({ reason }) => reason)).toContain('FailedDaemonPod');
  });

  it('waits, once made for a kubelet that has stopped, for the boot', () => {
    const world = cluster();
    world.store.create(daemonSetOf('agent', EVERYWHERE));
    world.run(5);
    shutDown(world, 'a');
    world.run(10);
    world.powerOff('a');
    world.run(60);
    world.powerOn('a');
    world.run(30);
    expect(nodesOfApp(world, 'agent')).toEqual(['a', 'b']);
    expect(readyPodsOfApp(world, 'agent')).toHaveLength(2);
  });

  it('of a set that does not tolerate a node that is not ready comes back with the node', () => {
    const world = cluster();
    world.store.create(daemonSetOf('exporter'));
    world.run(5);
    shutDown(world, 'a');
    world.run(10);
    expect(readyPodsOfApp(world, 'exporter').map(({ spec }) => spec.nodeName)).toEqual(['b']);
    expect(podsOfApp(world, 'exporter')).toHaveLength(1);
  });
});

describe('a Deployment', () => {
  it('has the pods of a node that goes down replaced elsewhere at once, and keeps the failed ones', () => {
    const world = cluster();
    world.store.create(deploymentOf('web', 4));
    world.run(10);
    shutDown(world, 'a');
    world.run(8);
    const failed = podsOfApp(world, 'web').filter(({ status }) => status.phase === 'Failed');
    expect(failed.map(({ spec }) => spec.nodeName)).toEqual(['a', 'a']);
    expect(readyPodsOfApp(world, 'web').map(({ spec }) => spec.nodeName)).toEqual(
      Array.from({ length: 4 }, () => 'b'),
    );
  });
});
