/**
 * `crictl stopp`: the runtime kills the containers, then the sandbox. The kubelet sees each at its
 * next look, so endpoints keep the pod for up to a second (KK pkg/kubelet/pleg/generic.go).
 */
import type { PodWorker } from './pod-worker.ts';

export function sandboxStoppedByHand(worker: PodWorker): void {
  const id = worker.sandbox?.id;
  if (id === undefined) return;
  const killed = worker.containers.all.filter((run) => run.running);
  for (const run of killed) run.stop('terminated');
  atRelist(worker, id, () => {
    if (worker.stage !== 'up') return;
    for (const run of killed) run.terminated(137, 'Error');
    worker.publish();
  });
  worker.context.node.runtime.stopSandbox(id, () => atRelist(worker, id, () => worker.recreate()));
}

/** At the kubelet's next look at the runtime, if the sandbox is the pod's still. */
function atRelist(worker: PodWorker, sandbox: string, action: () => void): void {
  const { context, life } = worker;
  context.kernel.after(context.relistIn(), () => {
    if (life !== worker.life || worker.sandbox?.id !== sandbox) return;
    if (context.running) action();
    else atRelist(worker, sandbox, action);
  });
}
