/**
 * One pod on one node: the kubelet's syncPod as a state machine (KK pkg/kubelet/kubelet.go SyncPod,
 * kuberuntime_manager.go). It holds no timer unless something is under way. What holds it back is
 * in pod-gates.ts, its containers in container-sequence.ts, its end in pod-teardown.ts.
 */
import type { PodObject } from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { OccurrenceKind } from '../../model/occurrence-kind.ts';
import type { PathVerdict, SandboxResult } from '../world.ts';
import type { ContainerOwner, ContainerRun } from './container-run.ts';
import { ContainerSequence } from './container-sequence.ts';
import {
  isStaticPod,
  type KubeletContext,
  podReference,
  whenApiAnswers,
} from './kubelet-context.ts';
import type { RuntimeWatch } from './node-condition.ts';
import { PodGates } from './pod-gates.ts';
import { isTerminal, type PodEnd } from './pod-status.ts';
import { Teardown } from './pod-teardown.ts';
import { StatusWriter } from './status-writer.ts';
import { criError, maskIds, sandboxRequest } from './pod-words.ts';

/** `stopped`: ended by a node that goes down; the object stays. */
type Stage = 'waiting' | 'creating' | 'up' | 'ending' | 'stopped' | 'gone';

export interface WorkerHost {
  readonly context: KubeletContext;
  readonly runtimeWatch: RuntimeWatch;
  /** The pod waits for the network, or no longer does. */
  awaitNetwork(worker: PodWorker, waits: boolean): void;
  awaitVolumes(worker: PodWorker, waits: boolean): void;
  /** The pod has probes that come from the host's network. */
  watchPath(worker: PodWorker): void;
  forget(worker: PodWorker): void;
}

export interface Sandbox {
  readonly id: string;
  readonly ip: string | undefined;
}

export class PodWorker implements ContainerOwner {
  readonly host: WorkerHost;
  readonly uid: string;
  readonly static: boolean;
  /** When it began here; for an adopted pod, a time before the start. */
  readonly startedAt: number;
  readonly containers: ContainerSequence;
  pod: PodObject;
  stage: Stage = 'waiting';
  sandbox: Sandbox | undefined;
  /** A dead sandbox that has to be cleared before a new one is made. */
  deadSandbox: string | undefined;
  path: PathVerdict | undefined;
  probedSince: number;
  /** Raised when the machine goes down: answers to what was asked before do not count. */
  life = 0;
  sandboxReady = false;
  /** Why the pod was ended for good, its object staying. */
  end: PodEnd | undefined;
  private plan = 0;
  private lastFailure = '';
  private whenStopped: (() => void) | undefined;
  private readonly gates: PodGates;
  private readonly teardown: Teardown;
  private readonly status: StatusWriter;

  constructor(host: WorkerHost, pod: PodObject, startedAt: number) {
    this.host = host;
    this.pod = pod;
    this.uid = pod.metadata.uid ?? '';
    this.static = isStaticPod(pod);
    this.startedAt = startedAt;
    this.probedSince = startedAt;
    this.gates = new PodGates(this);
    this.teardown = new Teardown(this);
    this.status = new StatusWriter(this);
    this.containers = new ContainerSequence(this, pod);
  }

  get context(): KubeletContext {
    return this.host.context;
  }

  // ------------------------------------------------------------ from the kubelet

  adopt(sandbox: Sandbox): void {
    this.sandbox = sandbox;
    this.sandboxReady = true;
    this.stage = 'up';
    this.probedSince = -Infinity;
    this.gates.mounts.mountedNow();
    if (this.containers.probedOverPath) {
      // What its status says of readiness is taken as seen; later changes are looked at.
      this.path = { ok: true, sourceSeen: null, message: '', because: [] };
      this.host.watchPath(this);
    }
    this.containers.adopt(this.pod);
  }

  /** Brings the pod up, from wherever it is. */
  sync(): void {
    if (!this.context.running || this.stage !== 'waiting') return;
    if (!this.static && !this.context.world.api.healthy()) {
      const again = this.planned(() => this.sync());
      whenApiAnswers(this.context.world, again);
      return;
    }
    if (this.gates.hold()) return;
    if (this.deadSandbox !== undefined) this.teardown.clearDead(this.deadSandbox);
    else this.createSandbox();
  }

  /** The kubelet has started again: what it had planned is lost, and is tried at once. */
  resume(): void {
    this.plan += 1;
    this.probedSince = this.context.kernel.now();
    if (this.stage === 'waiting') this.sync();
    else if (this.stage === 'ending') this.teardown.resume();
    else if (this.stage === 'up') {
      this.containers.probeAnew();
      this.containers.resume();
    }
  }

  /** The pod is to end, within the grace (seconds). */
  terminate(grace: number): void {
    if (this.stage === 'ending' || this.stage === 'gone') return;
    this.end = undefined;
    this.beginEnd(grace);
  }

  /** Ends the pod for good within the grace (seconds); its object stays, as failed. */
  endAs(end: PodEnd, grace: number, done: () => void): void {
    if (this.stage === 'gone' || this.stage === 'stopped') {
      done();
      return;
    }
    this.whenStopped = done;
    if (this.stage === 'ending') return;
    this.end = end;
    this.beginEnd(grace);
  }

  private beginEnd(grace: number): void {
    const creating = this.stage === 'creating';
    this.stage = 'ending';
    this.plan += 1;
    this.gates.leave();
    if (!creating) this.teardown.begin(grace);
  }

  /** Nothing of the pod runs any more; whether its object stays, for what it says. */
  hasEnded(): boolean {
    const stays = this.end !== undefined;
    this.stage = stays ? 'stopped' : 'gone';
    this.sandbox = undefined;
    this.deadSandbox = undefined;
    this.sandboxReady = false;
    if (stays) this.publish();
    this.whenStopped?.();
    this.whenStopped = undefined;
    return stays;
  }

  powerLost(): void {
    if (this.stage === 'gone') return;
    this.life += 1;
    this.plan += 1;
    // The kubelet that starts with the machine meets the pod anew.
    this.probedSince = Infinity;
    this.status.powerLost();
    this.gates.leave();
    this.gates.mounts.powerLost();
    this.teardown.powerLost();
    for (const run of this.containers.all) run.stop('power-lost');
    this.buryOldSandbox();
    this.whenStopped = undefined;
    if (this.stage !== 'stopped') this.stage = 'waiting';
  }

  /** The machine is up again, and the API server tells what became of the pod. */
  returns(): void {
    const { namespace, name } = this.pod.metadata;
    const found = this.context.world.store.get('Pod', namespace, name);
    if (found !== undefined && isTerminal(found)) this.host.forget(this);
    else this.recreate();
  }

  /** The sandbox is dead, of a reboot or of somebody's hand: a new one is made for the same pod. */
  recreate(): void {
    if (this.stage === 'ending' || this.stage === 'gone') return;
    this.end = undefined;
    this.plan += 1;
    this.probedSince = Math.min(this.probedSince, this.context.kernel.now());
    this.buryOldSandbox();
    if (this.pod.spec.restartPolicy === 'Never' && this.containers.ranBefore) {
      this.failForGood();
      return;
    }
    this.stage = 'waiting';
    this.containers.reset();
    if (this.deadSandbox !== undefined) {
      const text = 'Pod sandbox changed, it will be killed and re-created.';
      this.context.podEvent(this.pod, 'Normal', 'SandboxChanged', text);
    }
    this.publish();
    this.sync();
  }

  /** What runs once only is not started again (KK kuberuntime_manager.go computePodActions). */
  private failForGood(): void {
    const { deadSandbox: dead } = this;
    const { runtime } = this.context.node;
    for (const run of this.containers.mains) {
      if (run.state.kind !== 'terminated') run.terminated(255, 'Unknown');
    }
    this.stage = 'stopped';
    this.deadSandbox = undefined;
    this.publish();
    if (dead === undefined) return;
    runtime.stopSandbox(dead, ({ ok }) => {
      if (ok) runtime.removeSandbox(dead);
    });
  }

  networkReady(): void {
    this.gates.networkReady();
  }

  volumesChanged(): void {
    if (this.stage !== 'waiting' || !this.gates.volumesReady()) return;
    this.plan += 1;
    this.host.awaitVolumes(this, false);
    this.sync();
  }

  /** The path from the host may have changed. */
  pathChanged(): void {
    if (this.stage !== 'up') return;
    const { world, nodeName } = this.context;
    this.path = world.fabric.reach(
      { kind: 'host', node: nodeName },
      { kind: 'pod', pod: this.pod },
    );
    for (const run of this.containers.all) run.reconsider();
  }

  // ------------------------------------------------------------ plans

  /** The action, unless something else has been decided by the time it is called. */
  planned(action: () => void): () => void {
    const { plan } = this;
    return () => {
      if (plan === this.plan && this.context.running) action();
    };
  }

  after(delay: number, action: () => void): void {
    this.context.kernel.after(delay, this.planned(action));
  }

  /** Another sync after the usual back-off. */
  retry(): void {
    const delay = this.context.retryIn(this.context.world.constants.sandboxRetryMs);
    this.after(delay, () => this.sync());
  }

  /** Records a failure once, not at each retry that fails the same way for the same reasons. */
  failed(
    kind: OccurrenceKind,
    message: string,
    because: readonly OccurrenceId[],
  ): OccurrenceId | undefined {
    const told = `${maskIds(message)} ${because.join(' ')}`;
    if (told === this.lastFailure) return undefined;
    this.lastFailure = told;
    const { kernel, nodeName } = this.context;
    return kernel.because(kernel.causes, () =>
      kernel.occur(kind, { node: nodeName, subject: podReference(this.pod), message, because }),
    );
  }

  // ------------------------------------------------------------ sandbox

  private buryOldSandbox(): void {
    if (this.sandbox !== undefined) this.deadSandbox = this.sandbox.id;
    this.sandbox = undefined;
    this.sandboxReady = false;
    this.path = undefined;
  }

  private createSandbox(): void {
    this.stage = 'creating';
    this.publishOnce();
    const { life } = this;
    this.context.node.runtime.runSandbox(sandboxRequest(this.pod), (result) => {
      if (life === this.life) this.sandboxAnswered(result);
    });
  }

  private sandboxAnswered(result: SandboxResult): void {
    if (result.ok) {
      const hostIp = this.pod.spec.hostNetwork === true ? this.context.node.address : undefined;
      this.sandbox = { id: result.id, ip: result.ip ?? hostIp };
      this.sandboxReady = true;
      this.lastFailure = '';
    }
    if (this.stage === 'ending') {
      this.teardown.begin(0);
      return;
    }
    if (!result.ok) {
      this.stage = 'waiting';
      const message = `Failed to create pod sandbox: ${criError(result.message)}`;
      this.context.podEvent(this.pod, 'Warning', 'FailedCreatePodSandBox', message);
      const told = this.failed('kubelet.sandbox-failed', message, result.because);
      if (told !== undefined) this.context.node.network.attachFailed?.(this.uid, [told]);
      this.retry();
      return;
    }
    this.stage = 'up';
    if (this.containers.inits.length > 0) this.publish();
    this.containers.proceed();
  }

  deadSandboxCleared(): void {
    this.deadSandbox = undefined;
    this.sync();
  }

  /** The sandbox of a pod that ends no longer carries containers, though it is still there. */
  sandboxLost(): void {
    this.sandboxReady = false;
    this.publish();
  }

  // ------------------------------------------------------------ containers

  /** All containers are through for good: the sandbox goes, the object stays (Jobs). */
  completed(): void {
    const id = this.sandbox?.id;
    if (id === undefined) return;
    const { runtime } = this.context.node;
    runtime.stopSandbox(id, (result) => {
      if (result.ok && this.sandbox?.id === id) this.sandbox = undefined;
      if (result.ok) runtime.removeSandbox(id);
    });
  }

  containerChanged(): void {
    if (this.stage === 'up') this.containers.changed();
  }

  containerEnded(run: ContainerRun, exitCode: number, message: string | undefined): void {
    if (this.stage === 'up') this.containers.ended(run, exitCode, message);
  }

  containerUnhealthy(run: ContainerRun, probe: 'liveness' | 'startup'): void {
    if (this.stage === 'up' && run.running) this.containers.condemned(run, probe);
  }

  watchPath(): void {
    this.host.watchPath(this);
    this.pathChanged();
  }

  // ------------------------------------------------------------ status

  publishOnce(): void {
    if (this.pod.status.containerStatuses === undefined) this.publish();
  }

  publish(): void {
    this.status.publish();
  }
}
