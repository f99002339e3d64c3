/**
 * Goal: a webhook that cannot be reached costs controllers what it costs: its timeout for each write,
 * also where it fails open, and a back-off that grows while it fails closed.
 */
import { describe, expect, it } from 'vitest';
import type { WebhookConfigurationObject } from '../../model/kubernetes.ts';
import { kubeletWorld, type KubeletWorld, REACHED } from '../../../test/support/kubelet-world.ts';
import {
  cordon,
  daemonSetOf,
  deploymentOf,
  podsOfApp,
  readyPodsOfApp,
  statefulSetOf,
  WITH_FLANNEL,
} from '../../../test/support/workloads.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { startControllers } from './start-controllers.ts';

type Hook = NonNullable<WebhookConfigurationObject['webhooks']>[number];

function cluster(hook: Partial<Hook>): KubeletWorld {
  const world = kubeletWorld({
    nodes: [
      { name: 'cp', role: 'control-plane', files: WITH_FLANNEL },
      { name: 'w', files: WITH_FLANNEL },
    ],
  });
  startControllers(world);
  world.store.create<WebhookConfigurationObject>({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'hook.example.com',
        clientConfig: { service: { namespace: 'hooks', name: 'hook' } },
        rules: [{ operations: ['CREATE'], resources: ['pods'] }],
        ...hook,
      },
    ],
  });
  reach(world, false);
  world.run(1);
  return world;
}

function reach(world: KubeletWorld, isReached: boolean, message = 'packet lost'): void {
  world.paths.verdict = (_from, to) =>
    isReached || to.kind !== 'service'
      ? REACHED
      : { ok: false, sourceSeen: null, message, because: [] };
}

const OPEN: Partial<Hook> = { failurePolicy: 'Ignore' };
const CLOSED: Partial<Hook> = { failurePolicy: 'Fail' };

describe('a webhook that fails open after its timeout', () => {
  it.each([
    ['Deployment', deploymentOf('app', 2)],
    ['DaemonSet', daemonSetOf('app')],
    ['StatefulSet', statefulSetOf('app', 2, { podManagementPolicy: 'Parallel' })],
  ])('makes the pods of a %s ten seconds late, and each only once', (_kind, owner) => {
    const world = cluster(OPEN);
    world.store.create(owner);
    world.run(9.9);
    expect(podsOfApp(world, 'app')).toEqual([]);
    world.run(20);
    expect(podsOfApp(world, 'app')).toHaveLength(2);
    expect(readyPodsOfApp(world, 'app')).toHaveLength(2);
  });

  it('makes nothing for an owner that went away meanwhile', () => {
    const world = cluster(OPEN);
    world.store.create(deploymentOf('app', 1));
    world.run(5);
    world.store.delete('Deployment', 'default', 'app');
    world.run(20);
    expect(podsOfApp(world, 'app')).toEqual([]);
  });
});

function refusals(world: KubeletWorld): number {
  return eventRecorderOf(world)
    .list()
    .filter(({ reason }) => reason === 'FailedCreate')
    .reduce((sum, { count }) => sum + count, 0);
}

describe('a webhook that fails closed', () => {
  it('is asked every ten seconds and a little more each time, not a hundred times a second', () => {
    const world = cluster(CLOSED);
    world.store.create(deploymentOf('app', 1));
    world.run(65);
    expect(refusals(world)).toBe(6);
  });

  it('that answers at once is asked with the back-off alone, and lets pods through when it is back', () => {
    const world = cluster(CLOSED);
    reach(world, false, 'connect: connection refused');
    world.store.create(deploymentOf('app', 1));
    world.run(60);
    expect(refusals(world)).toBeLessThan(20);
    reach(world, true);
    world.run(120);
    expect(readyPodsOfApp(world, 'app')).toHaveLength(1);
  });

  it('that times out holds up the pod of a DaemonSet, and lets it through when it is back', () => {
    const world = cluster(CLOSED);
    world.store.create(daemonSetOf('app'));
    world.run(60);
    expect(podsOfApp(world, 'app')).toEqual([]);
    reach(world, true);
    world.run(120);
    expect(readyPodsOfApp(world, 'app')).toHaveLength(2);
  });

  it('on Nodes keeps the taint of a cordon from being written, until it is back', () => {
    const world = cluster({ ...CLOSED, rules: [{ operations: ['UPDATE'], resources: ['nodes'] }] });
    const taints = (): number => world.store.get('Node', undefined, 'w')?.spec.taints?.length ?? 0;
    cordon(world, 'w', true);
    world.run(60);
    expect(taints()).toBe(0);
    reach(world, true);
    world.run(60);
    expect(taints()).toBe(1);
  });
});
