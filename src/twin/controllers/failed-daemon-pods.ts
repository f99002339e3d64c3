/**
 * Pods of a DaemonSet that failed are deleted and made again: at once the first time, then after
 * 1, 2, 4 … s per set and node (KK pkg/controller/daemon/daemon_controller.go failedPodsBackoff).
 */
import type { DaemonSetObject, PodObject } from '../../model/kubernetes.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import type { World } from '../world.ts';
import { referenceTo } from './pod-factory.ts';

export const DAEMON_SET_COMPONENT = 'daemonset-controller';

export class FailedPodBackOff {
  private readonly world: World;
  private readonly failures = new Map<string, { readonly waitMs: number; readonly at: number }>();

  constructor(world: World) {
    this.world = world;
  }

  /** How long a failed pod of this key stays (milliseconds); zero lets it go and counts the failure. */
  waitFor(key: string): number {
    const { kernel, constants } = this.world;
    const { failedDaemonPodFirstMs, failedDaemonPodMaxMs } = constants;
    const now = kernel.now();
    const last = this.failures.get(key);
    if (last !== undefined && now < last.at + last.waitMs) return last.at + last.waitMs - now;
    const forgotten = last === undefined || now - last.at > 2 * failedDaemonPodMaxMs;
    const waitMs = forgotten
      ? failedDaemonPodFirstMs
      : Math.min(failedDaemonPodMaxMs, last.waitMs * 2);
    this.failures.set(key, { waitMs, at: now });
    return 0;
  }
}

export function tellFailed(
  world: World,
  set: DaemonSetObject,
  { metadata: { namespace = 'default', name } }: PodObject,
  node: string,
): void {
  eventRecorderOf(world).record({
    subject: referenceTo(set),
    subjectUid: set.metadata.uid,
    component: DAEMON_SET_COMPONENT,
    type: 'Warning',
    reason: 'FailedDaemonPod',
    message: `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
  });
}
