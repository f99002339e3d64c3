/** What is stopped before a machine goes down, in which order, and who is told of it. */
import { describe, expect, it } from 'vitest';
import type { PodObject } from '../../model/kubernetes.ts';
import type { TwinNode } from '../world.ts';
import { stopAllPods } from './power.ts';
import { createSystemdMachine } from './systemd-machine.ts';
import { type FakeWorld, fakeNode, fakeWorld } from './testing.ts';

function setUp(distribution: 'talos' | 'kubeadm'): { world: FakeWorld; node: TwinNode } {
  const world = fakeWorld({ distribution });
  const plain = fakeNode(world, 'n', () => machine);
  const machine = createSystemdMachine({ world, node: () => plain, loseFiles: () => undefined });
  const node: TwinNode = {
    ...plain,
    machine,
    kubelet: {
      ...plain.kubelet,
      shutDown: (done) => {
        world.log.push('n kubelet shuts down');
        world.kernel.after(5_000, done);
      },
    },
  };
  for (const [name, hostNetwork] of [
    ['agent', true],
    ['web', false],
  ] as const) {
    world.store.create<PodObject>({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', uid: name },
      spec: { nodeName: 'n', hostNetwork, containers: [] },
      status: { phase: 'Running' },
    });
  }
  return { world, node };
}

function stop({ world, node }: ReturnType<typeof setUp>): number | undefined {
  let doneAt: number | undefined;
  const host = { world, node: () => node, loseFiles: () => undefined };
  stopAllPods(host, () => (doneAt = world.kernel.now()));
  world.kernel.runUntil(120_000);
  return doneAt;
}

describe('before a machine goes down', () => {
  it('Talos has the kubelet end its pods, then stops what is left: pod network first (4.10)', () => {
    const made = setUp('talos');
    expect(stop(made)).toBeGreaterThanOrEqual(5_000);
    expect(made.world.log).toEqual(['n kubelet shuts down', 'n stop web', 'n stop agent']);
  });

  it('a kubelet elsewhere has no grace: nobody tells it', () => {
    const made = setUp('kubeadm');
    expect(stop(made)).toBeLessThan(1_000);
    expect(made.world.log).toEqual(['n stop web', 'n stop agent']);
  });
});
