/**
 * What holds a pod back before its sandbox: a runtime without a network (hostNetwork pods are
 * exempt), and volumes that are not attached or not mounted. The waiting itself costs nothing: retries that would
 * find the same are counted, not run (KK pkg/kubelet/kubelet.go SyncPod; truth K02).
 */
import { attachmentsOf } from './attachments.ts';
import type { Recurrence } from './event-recorder.ts';
import { podReference } from './kubelet-context.ts';
import { MountGate, unmountedText } from './mount-gate.ts';
import { networkNotReadyText } from './node-condition.ts';
import type { PodWorker } from './pod-worker.ts';
import { beatFrom } from './rhythm.ts';

export class PodGates {
  private readonly worker: PodWorker;
  readonly mounts: MountGate;
  private notReady: { readonly recurrence: Recurrence; readonly next: number } | undefined;

  constructor(worker: PodWorker) {
    this.worker = worker;
    this.mounts = new MountGate(worker);
  }

  /** Whether something holds the pod back now; it is told again when that ends. */
  hold(): boolean {
    return this.networkHolds() || this.volumesHold() || this.mounts.hold();
  }

  /** The kubelet has seen the network become ready: the pod's next retry finds it so. */
  networkReady(): void {
    if (this.notReady === undefined) return;
    const { kernel } = this.worker.context;
    const next = beatFrom(kernel.now(), this.notReady.next, this.period());
    this.worker.after(Math.max(0, next - kernel.now()), () => this.worker.sync());
  }

  /** Whether the volumes that held the pod back are there now. */
  volumesReady(): boolean {
    return this.pendingVolumes().length === 0;
  }

  /** The pod waits no longer, for whatever reason. */
  leave(): void {
    const { worker } = this;
    worker.host.awaitVolumes(worker, false);
    this.mounts.leave();
    this.leaveNetwork();
  }

  private leaveNetwork(): void {
    const { worker } = this;
    if (this.notReady === undefined) return;
    this.notReady.recurrence.stop();
    this.notReady = undefined;
    worker.host.awaitNetwork(worker, false);
  }

  private networkHolds(): boolean {
    const { worker } = this;
    const { known } = worker.host.runtimeWatch;
    if (known.ready || worker.pod.spec.hostNetwork === true) {
      this.leaveNetwork();
      return false;
    }
    if (this.notReady !== undefined) return true;
    const { context } = worker;
    const { kernel } = context;
    const message = `network is not ready: ${networkNotReadyText(known)}`;
    kernel.because(kernel.causes, () => {
      kernel.occur('kubelet.network-not-ready', {
        node: context.nodeName,
        subject: podReference(worker.pod),
        message,
        because: known.because,
      });
      worker.publish();
    });
    const details = context.podEventDetails(worker.pod, 'Warning', 'NetworkNotReady', message);
    const next = kernel.now() + context.retryIn(context.world.constants.networkNotReadyRetryMs);
    this.notReady = { recurrence: context.events.recur(details, next, this.period()), next };
    worker.host.awaitNetwork(worker, true);
    return true;
  }

  /** A retry after 1…1.5 s falls on every second look, one second apart. */
  private period(): number {
    const { networkNotReadyRetryMs, kubeletTickMs } = this.worker.context.world.constants;
    return (Math.floor(networkNotReadyRetryMs / kubeletTickMs) + 1) * kubeletTickMs;
  }

  private volumesHold(): boolean {
    const { worker } = this;
    const pending = this.pendingVolumes();
    if (pending.length === 0) return false;
    const { store, constants } = worker.context.world;
    worker.publishOnce();
    worker.host.awaitVolumes(worker, true);
    worker.after(constants.volumeWaitMs, () => {
      worker.host.awaitVolumes(worker, false);
      const unmounted = pending.map(({ volume }) => volume).join(' ');
      const message = unmountedText(unmounted, unmounted);
      worker.context.podEvent(worker.pod, 'Warning', 'FailedMount', message);
      const causes = this.pendingVolumes().flatMap(({ attachment }) =>
        attachment === undefined ? [] : store.causesOf(attachment),
      );
      worker.failed('kubelet.volume-not-attached', message, causes);
      worker.retry();
    });
    return true;
  }

  private pendingVolumes(): ReturnType<ReturnType<typeof attachmentsOf>['pendingOf']> {
    const { pod, context } = this.worker;
    if (pod.spec.volumes === undefined) return [];
    return attachmentsOf(context.world.store).pendingOf(pod, context.nodeName);
  }
}
