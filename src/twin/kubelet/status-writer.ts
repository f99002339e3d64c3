/**
 * What a pod's worker tells the API server: one write per transition, held back while nobody
 * answers and lost with the kubelet that wanted to tell it (KK pkg/kubelet/status).
 */
import type { PodObject } from '../../model/kubernetes.ts';
import { podReference } from './kubelet-context.ts';
import { buildStatus, isReadyStatus } from './pod-status.ts';
import type { PodWorker } from './pod-worker.ts';

export class StatusWriter {
  private readonly worker: PodWorker;
  private waits = false;

  constructor(worker: PodWorker) {
    this.worker = worker;
  }

  /** Writes the pod's status as it is now. */
  publish(): void {
    const { worker } = this;
    const { world, kernel } = worker.context;
    worker.containers.statusBuilt();
    if (!world.api.healthy()) {
      this.publishLater();
      return;
    }
    const { namespace, name } = worker.pod.metadata;
    const current = world.store.get('Pod', namespace, name);
    if (current === undefined || current.metadata.uid !== worker.uid) return;
    const status = this.statusOf(current);
    kernel.because(kernel.causes, () => {
      this.noteReadiness(current.status, status);
      const stored = world.store.update('Pod', namespace, name, (pod) => ({ ...pod, status }));
      if (stored !== undefined) worker.pod = stored;
    });
  }

  powerLost(): void {
    this.waits = false;
  }

  private publishLater(): void {
    if (this.waits) return;
    this.waits = true;
    const { worker } = this;
    const { life, context } = worker;
    const { startedAt } = context;
    context.world.api.whenHealthy?.(() => {
      if (life !== worker.life || worker.stage === 'gone') return;
      this.waits = false;
      if (context.running && startedAt === context.startedAt) this.publish();
    });
  }

  private statusOf(pod: PodObject): PodObject['status'] {
    const { worker } = this;
    const { containers, sandbox, context } = worker;
    const lastKnown = worker.deadSandbox === undefined ? pod.status.podIP : undefined;
    return buildStatus({
      pod,
      inits: containers.inits,
      containers: containers.mains,
      sandboxReady: worker.sandboxReady,
      hostIp: context.node.address,
      podIp: sandbox?.ip ?? lastKnown,
      ranBefore: containers.ranBefore,
      end: worker.end,
      now: context.world.store.timestamp(),
    });
  }

  private noteReadiness(before: PodObject['status'], after: PodObject['status']): void {
    const { worker } = this;
    const { context, path } = worker;
    const ready = isReadyStatus(after);
    if (ready === isReadyStatus(before) || worker.stage === 'ending') return;
    const unready = worker.containers.mains.filter((run) => !run.ready);
    const names = unready.map((run) => run.container.name).join(' ');
    context.kernel.occur(ready ? 'kubelet.pod-ready' : 'kubelet.pod-unready', {
      node: context.nodeName,
      subject: podReference(worker.pod),
      message: ready ? 'pod is ready' : `containers with unready status: [${names}]`,
      because: path?.ok === false ? path.because : [],
    });
  }
}
