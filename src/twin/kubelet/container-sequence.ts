/**
 * A pod's containers in their order: init containers one after the other, sidecars that stay, then
 * the main ones; and what happens when one ends or a probe condemns it.
 */
import { atLeast, normalVersion } from '../../base/versions.ts';
import type { Container, PodObject } from '../../model/kubernetes.ts';
import { configSourcesOf, type MissingSource } from './config-sources.ts';
import { ContainerRun } from './container-run.ts';
import { podReference } from './kubelet-context.ts';
import { createdText, presentImageText, showSeconds, startedText } from './pod-words.ts';
import type { PodWorker } from './pod-worker.ts';

const ENDED_WELL = { terminated: { exitCode: 0, reason: 'Completed' } };

export class ContainerSequence {
  readonly inits: readonly ContainerRun[];
  readonly mains: readonly ContainerRun[];
  readonly all: readonly ContainerRun[];
  /** All containers have been started once since the pod exists. */
  ranBefore = false;
  private awaitsSidecar = false;
  private readonly worker: PodWorker;

  constructor(worker: PodWorker, pod: PodObject) {
    this.worker = worker;
    this.inits = (pod.spec.initContainers ?? []).map((container) => {
      const role = container.restartPolicy === 'Always' ? 'sidecar' : 'init';
      return new ContainerRun(worker, container, role, 'PodInitializing');
    });
    const waiting = this.waitingReason;
    this.mains = pod.spec.containers.map(
      (container) => new ContainerRun(worker, container, 'main', waiting),
    );
    this.all = [...this.inits, ...this.mains];
  }

  get waitingReason(): string {
    return this.inits.length > 0 ? 'PodInitializing' : 'ContainerCreating';
  }

  /** Whether a probe of some container comes from the host's network. */
  get probedOverPath(): boolean {
    return this.worker.pod.spec.hostNetwork !== true && this.all.some((run) => run.probedOverPath);
  }

  /** Takes over containers that ran before the twin started. */
  adopt(pod: PodObject): void {
    this.ranBefore = true;
    const { images } = this.worker.context;
    for (const run of this.all) {
      const { name } = run.container;
      const statuses =
        run.role === 'main' ? pod.status.containerStatuses : pod.status.initContainerStatuses;
      const found = statuses?.find((status) => status.name === name);
      if (run.role === 'init') {
        run.adopt({ name, ready: true, restartCount: found?.restartCount ?? 0, state: ENDED_WELL });
      } else run.adopt(found);
      images.add(imageOf(run.container));
    }
  }

  /** Starts what is due: called when the sandbox is there, and after each container that came up. */
  proceed(): void {
    this.awaitsSidecar = false;
    const init = this.inits.find((run) => !run.done);
    if (init !== undefined) {
      if (init.running) this.awaitsSidecar = init.role === 'sidecar';
      else if (!init.restartPlanned) this.start(init);
      return;
    }
    const main = this.mains.find(
      (run) => !run.running && !run.restartPlanned && !this.isFinal(run),
    );
    if (main === undefined) this.allStarted();
    else this.start(main);
  }

  /** The kubelet has started again; what it had planned is lost. */
  resume(): void {
    for (const run of this.all) run.restartPlanned = false;
    const idle = this.all.some((run) => !run.running && !run.done && !this.isFinal(run));
    if (idle) this.proceed();
    else for (const run of this.all) run.reconsider();
  }

  /** The kubelet has started again; up to 1.34 it takes no container for ready then (KEP-4781). */
  probeAnew(): void {
    const version = normalVersion(this.worker.context.world.versions.kubernetes);
    const keepsResults = version !== undefined && atLeast(version, '1.35.0');
    const changed = this.all.filter((run) => run.probeAnew(keepsResults));
    if (changed.length > 0) this.worker.publish();
  }

  /** The pod's status has been built anew. */
  statusBuilt(): void {
    for (const run of this.all) run.statusBuilt();
  }

  /** The sandbox is gone and all of it starts over. */
  reset(): void {
    for (const run of this.all) {
      run.stop('terminated');
      run.restartPlanned = false;
      run.waitFor(this.waitingReason);
    }
  }

  changed(): void {
    this.worker.publish();
    if (this.awaitsSidecar) this.proceed();
  }

  ended(run: ContainerRun, exitCode: number, message: string | undefined): void {
    run.terminated(exitCode, exitCode === 0 ? 'Completed' : 'Error', message);
    if (run.role === 'init' && exitCode === 0) {
      this.proceed();
      return;
    }
    if (!this.isFinal(run)) {
      this.restart(run);
      return;
    }
    this.worker.publish();
    if (this.mains.every((main) => this.isFinal(main))) this.worker.completed();
  }

  condemned(run: ContainerRun, probe: 'liveness' | 'startup'): void {
    const { context, pod, path } = this.worker;
    const { name } = run.container;
    const text = `Container ${name} failed ${probe} probe, will be restarted`;
    context.podEvent(pod, 'Normal', 'Killing', text);
    context.kernel.because(context.kernel.causes, () => {
      context.kernel.occur('kubelet.container-killed', {
        node: context.nodeName,
        subject: podReference(pod),
        message: text,
        because: path?.ok === false ? path.because : [],
      });
      run.terminated(137, 'Error');
      this.restart(run);
    });
  }

  private start(run: ContainerRun): void {
    const { context, pod } = this.worker;
    const { images, world } = context;
    const image = imageOf(run.container);
    const present = images.has(image);
    if (!present) context.podEvent(pod, 'Normal', 'Pulling', `Pulling image "${image}"`);
    const pullMs = present ? 0 : world.constants.imagePullMs;
    this.worker.after(world.constants.containerStartMs + pullMs, () => {
      images.add(image);
      this.launch(run, pullMs);
    });
  }

  private launch(run: ContainerRun, pullMs: number): void {
    const { context, pod } = this.worker;
    const { kernel } = context;
    this.announcePulled(run, pullMs);
    const missing = configSourcesOf(context.world).missingEnvironment(pod, run.container);
    if (missing !== undefined) {
      this.notCreated(run, missing);
      return;
    }
    this.announceStarted(run);
    run.restartPlanned = false;
    kernel.because(kernel.causes, () => run.launch());
    if (run.role === 'init') this.worker.publish();
    else {
      if (run.role === 'sidecar' && !run.done) this.worker.publish();
      this.proceed();
    }
  }

  /** Its sandbox is there, and the container cannot be made in it (KK kuberuntime_container.go). */
  private notCreated(run: ContainerRun, { message, because }: MissingSource): void {
    const { worker } = this;
    const { context, pod } = worker;
    run.waitFor('CreateContainerConfigError', message);
    context.podEvent(pod, 'Warning', 'Failed', `Error: ${message}`);
    worker.failed('kubelet.container-config-missing', `Error: ${message}`, because);
    worker.publish();
    run.restartPlanned = true;
    worker.after(context.retryIn(context.world.constants.sandboxRetryMs), () => {
      if (run.restartPlanned) this.launch(run, 0);
    });
    if (run.role === 'main') this.proceed();
  }

  private announcePulled(run: ContainerRun, pullMs: number): void {
    const { context, pod } = this.worker;
    const image = imageOf(run.container);
    const took = `${pullMs / 1000}s`;
    const pulled =
      pullMs === 0
        ? presentImageText(image)
        : `Successfully pulled image "${image}" in ${took} (${took} including waiting).`;
    context.podEvent(pod, 'Normal', 'Pulled', pulled);
  }

  private announceStarted(run: ContainerRun): void {
    const { context, pod } = this.worker;
    const { name } = run.container;
    const created = createdText(context.world.versions.kubernetes, name);
    context.podEvent(pod, 'Normal', 'Created', created);
    context.podEvent(pod, 'Normal', 'Started', startedText(name));
  }

  private allStarted(): void {
    this.ranBefore ||= this.mains.every((run) => run.hasRun);
    this.worker.publish();
    if (this.probedOverPath) this.worker.watchPath();
    // A static pod may be the API server itself.
    if (this.worker.static) this.worker.context.world.api.controlPlaneChanged?.();
  }

  private restart(run: ContainerRun): void {
    const { context, pod, uid } = this.worker;
    const wait = run.nextBackOff();
    const { name } = run.container;
    if (wait > 0) {
      const where = `${pod.metadata.name}_${pod.metadata.namespace ?? 'default'}(${uid})`;
      const text = `Back-off restarting failed container ${name} in pod ${where}`;
      context.podEvent(pod, 'Warning', 'BackOff', text);
      const message = `back-off ${showSeconds(wait)} restarting failed container=${name} pod=${where}`;
      run.waitFor('CrashLoopBackOff', message);
    }
    this.worker.publish();
    run.restartPlanned = true;
    const delay = Math.max(wait, context.world.constants.containerRelistMs);
    this.worker.after(delay, () => {
      if (run.restartPlanned) this.launch(run, 0);
    });
  }

  /** Its end is the end of it, as the pod's restart policy says. */
  private isFinal(run: ContainerRun): boolean {
    if (run.state.kind !== 'terminated' || run.role === 'sidecar') return false;
    const policy = this.worker.pod.spec.restartPolicy ?? 'Always';
    if (policy === 'Never') return true;
    return policy === 'OnFailure' && run.state.exitCode === 0;
  }
}

function imageOf(container: Container): string {
  return container.image ?? container.name;
}
