/**
 * How a pod ends: containers first, then the sandbox, then the object. A sandbox whose network
 * cannot be torn down keeps the pod "Terminating" and is tried again (truth K08, K09, K12: the
 * container's own end sets off a second try after a second, then the usual back-off).
 */
import type { StopResult } from '../world.ts';
import { podReference, whenApiAnswers } from './kubelet-context.ts';
import type { PodWorker } from './pod-worker.ts';
import { killPodText, stoppingText } from './pod-words.ts';

export class Teardown {
  private readonly worker: PodWorker;
  private failures = 0;
  private stopping = false;
  private grace = 0;

  constructor(worker: PodWorker) {
    this.worker = worker;
  }

  /** Ends the containers within the grace (seconds), then the sandbox. */
  begin(grace: number): void {
    const { worker } = this;
    const { context } = worker;
    this.failures = 0;
    this.grace = grace;
    const running = worker.containers.all.filter((run) => run.running);
    for (const run of running) {
      context.podEvent(worker.pod, 'Normal', 'Killing', stoppingText(run.container.name));
      run.stop('terminated');
    }
    if (running.length === 0) {
      this.stopSandbox();
      return;
    }
    worker.after(Math.min(grace * 1000, context.world.constants.containerStopMs), () => {
      for (const run of running) run.terminated(...(grace === 0 ? KILLED : ENDED));
      worker.publish();
      this.stopSandbox();
    });
  }

  /** The kubelet has started again; what it had planned is lost. */
  resume(): void {
    if (this.stopping) return;
    if (this.worker.containers.all.some((run) => run.running)) this.begin(this.grace);
    else this.stopSandbox();
  }

  /** Clears what a reboot or a dead sandbox left, before a new sandbox is made. */
  clearDead(id: string): void {
    const { worker } = this;
    if (this.stopping) return;
    this.stop(id, (result) => {
      if (worker.stage === 'ending') {
        this.stopSandbox();
        return;
      }
      if (result.ok) {
        worker.context.node.runtime.removeSandbox(id);
        worker.deadSandboxCleared();
        return;
      }
      // Only the kubelet's log tells of this one; the pod's events do not (KK kuberuntime SyncPod).
      worker.failed(
        'kubelet.sandbox-not-cleared',
        killPodText(worker.uid, result.message),
        result.because,
      );
      worker.retry();
    });
  }

  private stopSandbox(): void {
    const { worker } = this;
    if (this.stopping) return;
    const id = worker.sandbox?.id ?? worker.deadSandbox;
    if (id === undefined) {
      this.finish();
      return;
    }
    this.stop(id, (result) => {
      if (!result.ok) {
        this.failed(result);
        return;
      }
      worker.context.node.runtime.removeSandbox(id);
      this.finish();
    });
  }

  private stop(id: string, done: (result: StopResult) => void): void {
    const { worker } = this;
    const { life } = worker;
    this.stopping = true;
    worker.context.node.runtime.stopSandbox(id, (result) => {
      if (life !== worker.life) return;
      this.stopping = false;
      done(result);
    });
  }

  private failed(result: Extract<StopResult, { ok: false }>): void {
    const { worker } = this;
    const { context } = worker;
    const { containerRelistMs, sandboxRetryMs } = context.world.constants;
    const message = killPodText(worker.uid, result.message);
    context.podEvent(worker.pod, 'Warning', 'FailedKillPod', message);
    worker.failed('kubelet.pod-stuck-terminating', message, result.because);
    this.failures += 1;
    const first = this.failures === 1;
    if (first) worker.sandboxLost();
    worker.after(first ? containerRelistMs : context.retryIn(sandboxRetryMs), () =>
      this.stopSandbox(),
    );
  }

  /** After the machine went down: an answer that was awaited will not come. */
  powerLost(): void {
    this.stopping = false;
  }

  private finish(): void {
    const { worker } = this;
    const { world } = worker.context;
    if (worker.hasEnded()) return;
    worker.host.forget(worker);
    whenApiAnswers(world, () => {
      const { namespace, name } = podReference(worker.pod);
      const pod = world.store.get('Pod', namespace, name);
      if (pod?.metadata.uid === worker.uid) world.store.deleteNow('Pod', namespace, name);
    });
  }
}

const KILLED: [number, string] = [137, 'Error'];
const ENDED: [number, string] = [0, 'Completed'];
