/**
 * The drain that an upgrade does by itself: eviction of every evictable pod, five minutes at most,
 * failures are only warnings, then the node goes down through its budgets (knowledge
 * failure-domains.md 2.2 "Talos drain": mirror, unmanaged and DaemonSet pods are skipped).
 */
import { controllerOf, type PodObject } from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { EvictionAnswer } from '../../ports/kubernetes.ts';
import type { World } from '../world.ts';

export type Evict = (
  namespace: string,
  pod: string,
) => EvictionAnswer & { readonly because?: readonly OccurrenceId[] };

const MIRROR = 'kubernetes.io/config.mirror';

export function drainBeforeUpgrade(
  world: World,
  node: string,
  evict: Evict,
  done: () => void,
): void {
  const { kernel, constants } = world;
  const deadline = kernel.now() + constants.talosDrainMs;
  const causes = kernel.causes;
  const refusals = new Set<OccurrenceId>();
  const round = (): void => {
    const left = evictablePods(world, node);
    if (left.length === 0) {
      kernel.because(causes, done);
      return;
    }
    if (kernel.now() >= deadline) {
      kernel.because(causes, () => giveUp(world, node, left.length, [...refusals]));
      // What follows happens because of the upgrade, in spite of the budgets.
      kernel.because(causes, done);
      return;
    }
    for (const pod of left) {
      if (pod.metadata.deletionTimestamp !== undefined) continue;
      const { because = [] } = evict(pod.metadata.namespace ?? 'default', pod.metadata.name);
      for (const id of because) refusals.add(id);
    }
    kernel.after(Math.min(constants.evictionRetryMs, deadline - kernel.now()), round);
  };
  round();
}

function giveUp(world: World, node: string, left: number, because: readonly OccurrenceId[]): void {
  world.kernel.occur('talos.drain-gave-up', {
    node,
    message: `drain of ${node} ended after 5 minutes with ${left} pods left; the upgrade goes on`,
    because,
  });
}

function evictablePods(world: World, node: string): PodObject[] {
  return world.store.podsOn(node).filter((pod) => {
    const owner = controllerOf(pod);
    if (owner === undefined || owner.kind === 'DaemonSet') return false;
    if (pod.metadata.annotations?.[MIRROR] !== undefined) return false;
    return pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed';
  });
}
