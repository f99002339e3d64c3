/** What counts as an outage of a workload: no pod ready at all, where a budget says that must not be. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createPod,
  fakeWorld,
  type FakeWorld,
  setReady,
} from '../../../test/support/fake-world.ts';
import { WorkloadOutage } from './workload-outage.ts';

let world: FakeWorld;

beforeEach(() => {
  world = fakeWorld(['a', 'b']);
});

function create(
  apiVersion: string,
  kind: string,
  name: string,
  rest: object,
  owner?: string,
): void {
  const ownerReferences =
    owner === undefined
      ? []
      : [{ apiVersion, kind: 'Deployment', name: owner, uid: `uid-${owner}`, controller: true }];
  const metadata = { name, namespace: 'default', uid: `uid-${name}`, ownerReferences };
  world.store.create({ apiVersion, kind, metadata, ...rest });
}

function budget(): void {
  create('policy/v1', 'PodDisruptionBudget', 'web', {
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } },
  });
}

function set(name: string, replicas: number): void {
  create(
    'apps/v1',
    'ReplicaSet',
    name,
    { spec: { replicas, selector: { matchLabels: { app: 'web' } } } },
    'web',
  );
}

function pod(name: string, of: string): void {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: of,
    uid: world.store.get('ReplicaSet', 'default', of)?.metadata.uid ?? '',
    controller: true,
  };
  const made = createPod(world, name, 'a', { labels: { app: 'web' }, owner });
  setReady(world, made, '10.244.0.9', true);
}

function ready(name: string, holds: boolean): void {
  const found = world.store.get('Pod', 'default', name);
  if (found !== undefined) setReady(world, found, '10.244.0.9', holds);
  run(0);
}

function run(seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

describe('workloads with a budget', () => {
  it('have an outage while no pod is ready, and none while one is', () => {
    budget();
    set('web-1', 2);
    pod('web-1-a', 'web-1');
    pod('web-1-b', 'web-1');
    run(1);
    const outage = new WorkloadOutage(world);
    ready('web-1-a', false);
    run(20);
    expect(outage.report()).toEqual({ count: 1, outageSeconds: { total: 0, max: 0 } });
    ready('web-1-b', false);
    run(5);
    ready('web-1-a', true);
    run(30);
    expect(outage.report()).toEqual({ count: 1, outageSeconds: { total: 5, max: 5 } });
  });

  it('count an outage that lasts', () => {
    budget();
    set('web-1', 2);
    pod('web-1-a', 'web-1');
    run(1);
    const outage = new WorkloadOutage(world);
    world.store.remove('Pod', 'default', 'web-1-a');
    run(7);
    expect(outage.report().outageSeconds).toEqual({ total: 7, max: 7 });
  });

  it('count over all sets of a Deployment: a roll-out is no outage', () => {
    budget();
    set('web-1', 2);
    pod('web-1-a', 'web-1');
    run(1);
    const outage = new WorkloadOutage(world);
    set('web-2', 2);
    run(1);
    pod('web-2-a', 'web-2');
    run(1);
    ready('web-1-a', false);
    run(60);
    expect(outage.report().outageSeconds.max).toBe(0);
  });

  it.each([
    ['one replica', 1, true],
    ['no budget', 2, false],
  ])('do not count with %s', (_what, replicas, covered) => {
    if (covered) budget();
    set('web-1', replicas);
    pod('web-1-a', 'web-1');
    run(1);
    expect(new WorkloadOutage(world).report().count).toBe(0);
  });
});
