/**
 * Volumes of ConfigMaps and Secrets that cannot be set up hold a pod back before its sandbox. Each
 * is tried again with the back-off of a volume operation, and what is mounted stays mounted until
 * the kubelet's memory of it is gone with the machine (KK pkg/kubelet/volumemanager).
 */
import { configSourcesOf } from './config-sources.ts';
import type { PodWorker } from './pod-worker.ts';

export class MountGate {
  private readonly worker: PodWorker;
  private mounted = false;
  private backOffMs = 0;
  private waitsSince: number | undefined;

  constructor(worker: PodWorker) {
    this.worker = worker;
  }

  /** Whether a volume holds the pod back now; then another sync is planned. */
  hold(): boolean {
    if (this.mounted) return false;
    const { worker } = this;
    const { context, pod } = worker;
    const missing = configSourcesOf(context.world).missingVolumes(pod);
    if (missing.length === 0) {
      this.mountedNow();
      return false;
    }
    worker.publishOnce();
    for (const { message, because } of missing) {
      context.podEvent(pod, 'Warning', 'FailedMount', message);
      worker.failed('kubelet.volume-source-missing', message, because);
    }
    this.tellWait(missing.map(({ volume }) => volume).join(' '));
    worker.after(this.nextBackOff(), () => worker.sync());
    return true;
  }

  /** All volumes are mounted, as those of an adopted pod are. */
  mountedNow(): void {
    this.mounted = true;
    this.leave();
  }

  /** The machine went down, and the mounts with it. */
  powerLost(): void {
    this.mounted = false;
    this.leave();
  }

  /** The pod waits no longer, for whatever reason. */
  leave(): void {
    this.backOffMs = 0;
    this.waitsSince = undefined;
  }

  /** What the sync of the pod says each time it has waited for all volumes in vain. */
  private tellWait(unmounted: string): void {
    const { context, pod } = this.worker;
    const now = context.kernel.now();
    this.waitsSince ??= now;
    if (now - this.waitsSince < context.world.constants.volumeWaitMs) return;
    this.waitsSince = now;
    context.podEvent(pod, 'Warning', 'FailedMount', unmountedText(unmounted, ''));
  }

  private nextBackOff(): number {
    const { mountRetryFirstMs, mountRetryMaxMs } = this.worker.context.world.constants;
    const next = this.backOffMs === 0 ? mountRetryFirstMs : this.backOffMs * 2;
    this.backOffMs = Math.min(mountRetryMaxMs, next);
    return this.backOffMs;
  }
}

export function unmountedText(unmounted: string, unattached: string): string {
  return (
    `Unable to attach or mount volumes: unmounted volumes=[${unmounted}], unattached volumes=[${unattached}], ` +
    `failed to process volumes=[]: context deadline exceeded`
  );
}
