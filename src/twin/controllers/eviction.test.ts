/** Evictions and budgets, in the API server's words. */
import { describe, expect, it } from 'vitest';
import { kubeletWorld, type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';
import {
  budgetOf,
  deploymentOf,
  podsOfApp,
  readyPodsOfApp,
  WITH_FLANNEL,
} from '../../../test/support/workloads.ts';
import type { PodDisruptionBudgetObject } from '../../model/kubernetes.ts';
import { evictPod, type EvictionResult } from './eviction.ts';
import { startControllers } from './start-controllers.ts';

function cluster(
  replicas: number,
  budget: Partial<PodDisruptionBudgetObject['spec']>,
): KubeletWorld {
  const world = kubeletWorld({
    nodes: ['a', 'b', 'c'].map((name) => ({ name, files: WITH_FLANNEL })),
  });
  startControllers(world);
  world.store.create(deploymentOf('web', replicas));
  world.store.create(budgetOf('web', 'web', budget));
  world.run(15);
  return world;
}

function evictAll(world: KubeletWorld): EvictionResult[] {
  return podsOfApp(world, 'web').map(({ metadata }) => evictPod(world, 'default', metadata.name));
}

function evicted(results: readonly EvictionResult[]): number {
  return results.filter((result) => result.evicted).length;
}

describe('an eviction', () => {
  it.each([
    [{ minAvailable: 2 }, 1],
    [{ maxUnavailable: 1 }, 1],
    [{ minAvailable: '50%' }, 1],
    [{ maxUnavailable: '50%' }, 2],
    [{ minAvailable: 3 }, 0],
    [{ maxUnavailable: 0 }, 0],
  ])('of three pods at one moment under %o lets %d go', (budget, expected) => {
    const world = cluster(3, budget);
    expect(evicted(evictAll(world))).toBe(expected);
  });

  it('that the budget does not allow is a 429 that says what is needed', () => {
    const world = cluster(3, { minAvailable: 3 });
    expect(evictAll(world)[0]).toMatchObject({
      evicted: false,
      status: 429,
      message:
        "Cannot evict pod as it would violate the pod's disruption budget. " +
        'The disruption budget web needs 3 healthy pods and has 3 currently',
    });
  });

  it('is allowed again when the evicted pod is back', () => {
    const world = cluster(3, { maxUnavailable: 1 });
    evictAll(world);
    expect(evicted(evictAll(world).filter((result) => result.evicted))).toBeLessThanOrEqual(1);
    world.run(15);
    expect(readyPodsOfApp(world, 'web')).toHaveLength(3);
    expect(evicted(evictAll(world))).toBe(1);
  });

  it('under two budgets is a 500', () => {
    const world = cluster(2, { maxUnavailable: 2 });
    world.store.create(budgetOf('second', 'web', { maxUnavailable: 2 }));
    world.run(1);
    expect(evictAll(world)[0]).toMatchObject({ evicted: false, status: 500 });
  });

  it('of a pod that is not there is a 404', () => {
    expect(evictPod(cluster(1, {}), 'default', 'nobody')).toMatchObject({ status: 404 });
  });

  it('of a pending pod asks nobody', () => {
    const world = cluster(2, { minAvailable: 2 });
    podOn(world, 'late', undefined, { labels: { app: 'web' }, nodeSelector: { nowhere: 'yes' } });
    world.run(5);
    expect(evictPod(world, 'default', 'late')).toEqual({ evicted: true });
  });
});

// Pods that are unready because the network is broken make budgets block (failure-domains.md 2.2).
function withBrokenPods(policy: 'IfHealthyBudget' | 'AlwaysAllow'): KubeletWorld {
  const world = cluster(3, { minAvailable: 2, unhealthyPodEvictionPolicy: policy });
  for (const pod of podsOfApp(world, 'web').slice(0, 2)) {
    world.store.update('Pod', 'default', pod.metadata.name, (old) => ({
      ...old,
      status: { ...old.status, conditions: [{ type: 'Ready', status: 'False' }] },
    }));
  }
  world.run(1);
  return world;
}

describe('unready pods', () => {
  it('block a drain by default', () => {
    expect(evicted(evictAll(withBrokenPods('IfHealthyBudget')))).toBe(0);
  });

  it('may go when the budget says so', () => {
    const world = withBrokenPods('AlwaysAllow');
    expect(evictAll(world).map((result) => result.evicted)).toEqual([true, true, false]);
  });
});

describe('the status of a budget', () => {
  it('shows what may go now', () => {
    const world = cluster(4, { minAvailable: 3 });
    const status = (): unknown => world.store.get('PodDisruptionBudget', 'default', 'web')?.status;
    expect(status()).toEqual({
      expectedPods: 4,
      currentHealthy: 4,
      desiredHealthy: 3,
      disruptionsAllowed: 1,
    });
    evictAll(world);
    world.run(0.1);
    expect(status()).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 0 });
  });
});

function kinds(world: KubeletWorld): string[] {
  return world.kernel.occurrences
    .map(({ kind }) => kind)
    .filter((kind) => kind.startsWith('eviction.'));
}

describe('a refusal is recorded', () => {
  it('as a budget that allows none, once however often it is asked', () => {
    const world = cluster(2, { minAvailable: 2 });
    evictAll(world);
    evictAll(world);
    expect(kinds(world)).toEqual(['eviction.budget-allows-none']);
  });

  it('as a budget that is used up, when more pods would let it give way', () => {
    const world = cluster(3, { minAvailable: 2 });
    const [first] = evictAll(world).filter((result) => !result.evicted);
    expect(kinds(world)).toEqual(['eviction.budget-used-up']);
    expect(first).toMatchObject({ status: 429, because: [expect.any(Number)] });
  });
});
