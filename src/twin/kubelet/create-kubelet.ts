/**
 * A node's kubelet: hears of its node's pods, runs a worker for each, and lives and dies with the
 * machine. At rest it has no timers. Restarting it keeps containers and empties its token cache.
 */
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import { inRange, normalVersion } from '../../base/versions.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Change } from '../store/object-store.ts';
import type {
  ContainerLog,
  Kubelet,
  NetworkStatus,
  Process,
  ServiceAccountToken,
  World,
} from '../world.ts';
import { attachmentsOf } from './attachments.ts';
import { configSourcesOf } from './config-sources.ts';
import type { ContainerRun } from './container-run.ts';
import {
  KubeletContext,
  type ProgramFor,
  staticPodSpec,
  whenApiAnswers,
} from './kubelet-context.ts';
import { RuntimeWatch } from './node-condition.ts';
import { subscribe, subscribeToPaths } from './node-feed.ts';
import { lastRenewal, nodeLeasesOf } from './node-leases.ts';
import { reportBoot } from './boot-report.ts';
import { registerNode } from './register-node.ts';
import { endAllPods, rejectPod } from './node-shutdown.ts';
import { isTerminal } from './pod-status.ts';
import { PodWorker, type WorkerHost } from './pod-worker.ts';
import { sandboxStoppedByHand } from './sandbox-stop.ts';
import { adoptedTokenStart, serviceAccountsOf, tokenAt } from './tokens.ts';

export interface KubeletOptions {
  readonly world: World;
  readonly nodeName: string;
  readonly programFor: ProgramFor;
  /** Images the node has; those of adopted pods are added. */
  readonly images?: readonly string[];
  /** The machine is off: nothing runs until `powerOn`. */
  readonly off?: boolean;
  /** What it tells of itself where there is no Node of its name; nothing when absent. */
  readonly registersAs?: NodeObject;
}

/** Starts as a kubelet that has long been running; `powerLost` and `powerOn` come from the machine. */
export function createKubelet(options: KubeletOptions): Kubelet {
  return new NodeKubelet(options);
}

/** A kubelet restart leaves running pods with a mount that is never written again (talos#13352). */
const MOUNT_LOST_TALOS = '>=1.13.0 <1.13.3';

class NodeKubelet implements Kubelet, WorkerHost {
  readonly context: KubeletContext;
  readonly runtimeWatch: RuntimeWatch;
  private readonly workers = new Map<string, PodWorker>();
  private readonly withoutNetwork = new Set<PodWorker>();
  private readonly withoutVolumes = new Set<PodWorker>();
  private readonly probed = new Set<PodWorker>();
  private readonly world: World;
  /** Whose paths are looked at soon: pods by UID, or every pod of the node. */
  private pathsToCheck: Set<string> | 'all' | undefined;
  private pathsWatched = false;
  private cacheEmptiedAt: number | undefined;
  /** Kubelet restarts that took the token volume from pods that ran then. */
  private mountLosses: number[] = [];
  private tokenCauses: readonly OccurrenceId[] = [];
  private starts = 0;

  constructor(options: KubeletOptions) {
    const { world, nodeName, programFor, images = [], off = false } = options;
    this.world = world;
    this.context = new KubeletContext(world, nodeName, programFor, images);
    this.context.registersAs = options.registersAs;
    this.runtimeWatch = new RuntimeWatch(this.context, (status) => this.networkChanged(status));
    attachmentsOf(world.store);
    configSourcesOf(world);
    serviceAccountsOf(world.store, world.kernel);
    subscribe(world.store, nodeName, {
      pod: (change) => this.podChanged(change),
      attachment: () => this.attachmentsChanged(),
    });
    if (off) {
      this.context.running = false;
      nodeLeasesOf(world.store).lapse(nodeName, world.kernel.now());
      return;
    }
    const { starts } = this;
    world.kernel.after(0, () => {
      if (this.context.running && starts === this.starts) this.runtimeWatch.start();
    });
  }

  get running(): boolean {
    return this.context.running;
  }

  // ------------------------------------------------------------ Kubelet

  adopt(pod: PodObject, sandbox: { readonly id: string; readonly ip: string | undefined }): void {
    const startedAt = adoptedTokenStart(pod.metadata.uid ?? '', this.world.constants);
    const worker = new PodWorker(this, pod, startedAt);
    this.workers.set(worker.uid, worker);
    worker.adopt(sandbox);
  }

  restart(): void {
    if (!this.context.running) return;
    const { kernel, constants } = this.world;
    this.context.running = false;
    this.starts += 1;
    const { starts } = this;
    this.runtimeWatch.stop();
    kernel.after(constants.kubeletRestartMs, () => {
      if (starts !== this.starts) return;
      this.noteRestart();
      this.start();
      this.catchUp();
      for (const worker of this.workers.values()) worker.resume();
    });
  }

  stop(): void {
    if (!this.context.running) return;
    this.end();
  }

  startAgain(): void {
    if (this.context.running) return;
    const { starts } = this;
    this.noteRestart();
    this.start();
    whenApiAnswers(this.world, () => {
      if (starts !== this.starts) return;
      this.catchUp();
      for (const worker of this.workers.values()) worker.resume();
    });
  }

  powerLost(): void {
    this.end();
    for (const worker of this.workers.values()) worker.powerLost();
    this.world.api.controlPlaneChanged?.();
  }

  private end(): void {
    const { kernel, constants, store } = this.world;
    this.starts += 1;
    this.context.running = false;
    this.runtimeWatch.stop();
    nodeLeasesOf(store).lapse(
      this.context.nodeName,
      lastRenewal(kernel, constants.nodeLeaseRenewMs, this.context.random.unit()),
    );
  }

  powerOn(): void {
    if (this.context.running) return;
    this.starts += 1;
    const { starts } = this;
    const { api } = this.world;
    this.cacheEmptiedAt = this.world.kernel.now();
    this.mountLosses = [];
    this.start();
    const before = [...this.workers.values()];
    for (const worker of before) if (worker.static) worker.recreate();
    api.controlPlaneChanged?.();
    whenApiAnswers(this.world, () => {
      if (starts !== this.starts) return;
      reportBoot(this.context);
      this.catchUp();
      for (const worker of before) if (!worker.static) worker.returns();
    });
  }

  shutDown(done: () => void): void {
    if (!this.context.running) {
      done();
      return;
    }
    const { nodeName, events } = this.context;
    events.record({
      subject: { kind: 'Node', name: nodeName },
      component: 'kubelet',
      host: nodeName,
      type: 'Normal',
      reason: 'Shutdown',
      message: 'Shutdown manager detected shutdown event',
    });
    const { starts } = this;
    this.runtimeWatch.shuttingDown();
    endAllPods(this.context, [...this.workers.values()], () => {
      if (starts === this.starts) {
        this.context.running = false;
        this.runtimeWatch.stop();
      }
      this.world.api.controlPlaneChanged?.();
      done();
    });
  }

  restartSandbox(podUid: string): void {
    const worker = this.workers.get(podUid);
    if (worker !== undefined) sandboxStoppedByHand(worker);
  }

  process(podUid: string, container: string): Process | undefined {
    return this.containerOf(podUid, container)?.process;
  }

  logOf(podUid: string, container: string, which: 'latest' | 'previous'): ContainerLog | undefined {
    return this.containerOf(podUid, container)?.log(which);
  }

  private containerOf(podUid: string, container: string): ContainerRun | undefined {
    const worker = this.workers.get(podUid);
    return worker?.containers.all.find((run) => run.container.name === container);
  }

  tokenOf(podUid: string): ServiceAccountToken | undefined {
    const worker = this.workers.get(podUid);
    if (worker === undefined || worker.static) return undefined;
    const { kernel, constants, store } = this.world;
    const mountLostAt = this.mountLosses.find((lostAt) => worker.startedAt < lostAt);
    const times = {
      podStartedAt: worker.startedAt,
      cacheEmptiedAt: this.cacheEmptiedAt,
      mountLostAt,
      because: mountLostAt === undefined ? [] : this.tokenCauses,
    };
    return tokenAt(worker.pod, times, kernel.now(), {
      accounts: serviceAccountsOf(store, kernel),
      constants,
    });
  }

  // ------------------------------------------------------------ WorkerHost

  awaitNetwork(worker: PodWorker, waits: boolean): void {
    if (waits) this.withoutNetwork.add(worker);
    else this.withoutNetwork.delete(worker);
  }

  awaitVolumes(worker: PodWorker, waits: boolean): void {
    if (waits) this.withoutVolumes.add(worker);
    else this.withoutVolumes.delete(worker);
  }

  watchPath(worker: PodWorker): void {
    this.probed.add(worker);
    if (this.pathsWatched) return;
    this.pathsWatched = true;
    // At the first chance: the fabric may not be there yet while the world is being built.
    this.world.kernel.after(0, () =>
      subscribeToPaths(this.world.fabric, this.context.nodeName, (podUid) =>
        this.planPathCheck(podUid),
      ),
    );
  }

  forget(worker: PodWorker): void {
    this.workers.delete(worker.uid);
    this.probed.delete(worker);
    this.withoutNetwork.delete(worker);
    this.withoutVolumes.delete(worker);
  }

  // ------------------------------------------------------------ what it hears

  private podChanged(change: Change<PodObject>): void {
    if (this.context.running) this.hear(change.object, change.type === 'deleted');
  }

  private hear(pod: PodObject, dropped: boolean): void {
    const worker = this.workers.get(pod.metadata.uid ?? '');
    const deleting = dropped || pod.metadata.deletionTimestamp !== undefined;
    if (worker === undefined) {
      if (!dropped && !isTerminal(pod)) {
        if (this.context.shuttingDown) rejectPod(this.context, pod);
        else this.begin(pod);
      } else if (!dropped && deleting)
        this.world.store.deleteNow('Pod', pod.metadata.namespace, pod.metadata.name);
      return;
    }
    if (!deleting) return;
    if (worker.static) this.restoreMirror(worker);
    else worker.terminate(dropped ? 0 : (pod.metadata.deletionGracePeriodSeconds ?? 30));
  }

  private begin(pod: PodObject): void {
    const worker = new PodWorker(this, pod, this.world.kernel.now());
    this.workers.set(worker.uid, worker);
    if (pod.metadata.deletionTimestamp === undefined) worker.sync();
    else worker.terminate(0);
  }

  /** Its manifest is gone. */
  endStatic(podUid: string): void {
    this.workers.get(podUid)?.terminate(0);
  }

  /** A mirror pod only shows a static pod: deleting it changes nothing, and it comes back. */
  private restoreMirror(worker: PodWorker): void {
    const { store } = this.world;
    const { namespace, name } = worker.pod.metadata;
    const found = store.get('Pod', namespace, name);
    if (found !== undefined && found.metadata.deletionTimestamp === undefined) return;
    store.remove('Pod', namespace, name);
    const {
      deletionTimestamp: _at,
      deletionGracePeriodSeconds: _grace,
      ...metadata
    } = worker.pod.metadata;
    worker.pod = store.create({ ...worker.pod, metadata, spec: staticPodSpec(worker.pod.spec) });
  }

  private attachmentsChanged(): void {
    if (!this.context.running) return;
    for (const worker of this.withoutVolumes) worker.volumesChanged();
  }

  private networkChanged(status: NetworkStatus): void {
    if (!status.ready) return;
    for (const worker of this.withoutNetwork) worker.networkReady();
  }

  /** Paths of a pod's neighbours need no second look when only its own attachment changed. */
  private planPathCheck(podUid: string | undefined): void {
    if (!this.context.running || this.probed.size === 0) return;
    const planned = this.pathsToCheck;
    if (podUid === undefined) this.pathsToCheck = 'all';
    else if (planned === undefined) this.pathsToCheck = new Set([podUid]);
    else if (planned !== 'all') planned.add(podUid);
    if (planned !== undefined) return;
    this.world.kernel.after(this.world.constants.probePathCheckMs, () => {
      const wanted = this.pathsToCheck;
      this.pathsToCheck = undefined;
      if (!this.context.running || wanted === undefined) return;
      if (wanted !== 'all' && wanted.size === 1) {
        for (const uid of wanted) this.checkPath(uid);
        return;
      }
      for (const worker of this.probed)
        if (wanted === 'all' || wanted.has(worker.uid)) worker.pathChanged();
    });
  }

  private checkPath(podUid: string): void {
    const worker = this.workers.get(podUid);
    if (worker !== undefined && this.probed.has(worker)) worker.pathChanged();
  }

  // ------------------------------------------------------------ start

  private start(): void {
    this.context.running = true;
    this.context.startedAt = this.world.kernel.now();
    nodeLeasesOf(this.world.store).hold(this.context.nodeName);
    registerNode(this.context);
    this.runtimeWatch.start();
  }

  /** Looks at all pods of the node, after a time of hearing nothing. */
  private catchUp(): void {
    const { store } = this.world;
    const present = store.podsOn(this.context.nodeName);
    const uids = new Set(present.map((pod) => pod.metadata.uid));
    for (const worker of this.workers.values()) {
      if (!uids.has(worker.uid)) this.hear(worker.pod, true);
    }
    for (const pod of present) this.hear(pod, false);
  }

  private noteRestart(): void {
    const { kernel, versions } = this.world;
    this.cacheEmptiedAt = kernel.now();
    const { nodeName } = this.context;
    const version = normalVersion(versions.distributionVersion);
    const losesMounts =
      versions.distribution === 'talos' &&
      version !== undefined &&
      inRange(version, MOUNT_LOST_TALOS);
    if (!losesMounts) return;
    this.mountLosses.push(kernel.now());
    kernel.because(kernel.causes, () => {
      const id = kernel.occur('kubelet.token-mount-lost', {
        node: nodeName,
        message: `kubelet of ${nodeName} restarted; pods that run keep a token volume that is not written any more`,
      });
      this.tokenCauses = [id];
    });
  }
}
