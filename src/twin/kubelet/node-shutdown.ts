/**
 * Graceful node shutdown: ordinary pods are ended first, then critical ones, each group within its
 * time; what has not ended by then is left to the machine (KK pkg/kubelet/nodeshutdown).
 */
import type { PodObject } from '../../model/kubernetes.ts';
import type { KubeletContext } from './kubelet-context.ts';
import { podReference, whenApiAnswers } from './kubelet-context.ts';
import type { PodEnd } from './pod-status.ts';
import type { PodWorker } from './pod-worker.ts';

const TERMINATED: PodEnd = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
};

const REJECTED: PodEnd = {
  reason: 'NodeShutdown',
  message: 'Pod was rejected as the node is shutting down.',
};

/** KK pkg/apis/scheduling: system-cluster-critical; system-node-critical is higher still. */
const CRITICAL_PRIORITY = 2_000_000_000;
const CRITICAL_CLASSES = new Set(['system-cluster-critical', 'system-node-critical']);

export function endAllPods(
  context: KubeletContext,
  workers: readonly PodWorker[],
  done: () => void,
): void {
  const { nodeShutdownMs, nodeShutdownCriticalMs } = context.world.constants;
  const ordinary = workers.filter(({ pod }) => !isCritical(pod));
  const critical = workers.filter(({ pod }) => isCritical(pod));
  endGroup(context, ordinary, nodeShutdownMs, () =>
    endGroup(context, critical, nodeShutdownCriticalMs, done),
  );
}

function endGroup(
  context: KubeletContext,
  workers: readonly PodWorker[],
  within: number,
  done: () => void,
): void {
  const { kernel } = context;
  const { causes } = kernel;
  let left = workers.length;
  if (left === 0) {
    done();
    return;
  }
  const timer = kernel.after(within, () => {
    left = 0;
    done();
  });
  for (const worker of workers) {
    const grace = Math.min(worker.pod.spec.terminationGracePeriodSeconds ?? 30, within / 1000);
    worker.endAs(TERMINATED, grace, () => {
      left -= 1;
      if (left !== 0) return;
      timer.cancel();
      kernel.because(causes, done);
    });
  }
}

function isCritical({ spec: { priority, priorityClassName = '' } }: PodObject): boolean {
  if (priority !== undefined) return priority >= CRITICAL_PRIORITY;
  return CRITICAL_CLASSES.has(priorityClassName);
}

/** A pod that comes while the node goes down is failed, not started. */
export function rejectPod(context: KubeletContext, pod: PodObject): void {
  const { world } = context;
  context.podEvent(pod, 'Warning', REJECTED.reason, REJECTED.message);
  whenApiAnswers(world, () => {
    const { namespace, name } = podReference(pod);
    if (!context.shuttingDown) return;
    world.store.update('Pod', namespace, name, (object) =>
      object.metadata.uid === pod.metadata.uid
        ? { ...object, status: { ...object.status, phase: 'Failed', ...REJECTED } }
        : object,
    );
  });
}
