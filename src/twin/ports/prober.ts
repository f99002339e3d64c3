/**
 * The prober on the twin. It sends nothing: a path's fate can only change when something on it does,
 * so it looks at the paths an event touches, at the next tick of the sending rate, and reckons what
 * steady probes would have lost.
 */
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import type { PathObservation } from '../../model/rehearsal.ts';
import type { FailingPath, ProberPort } from '../../ports/prober.ts';
import { fabricOf, type TwinFabric } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { DNS_SERVICE } from '../network/service-table.ts';
import type { Destination, World } from '../world.ts';
import type { Seen } from './path-log.ts';
import { ProbeEnds } from './probe-ends.ts';
import { ProbeIndex } from './probe-index.ts';
import { HOST_PROBE_NAME, PROBE_NAME, PROBE_NAMESPACE, probeObjects } from './probe-objects.ts';
import { pathsOf, type ProbePath, protocolOf, ringOf, type TargetKind } from './probe-paths.ts';

/** How long `start` waits for probe pods that do not come up (milliseconds). */
const START_PATIENCE_MS = 120_000;
const START_LOOK_MS = 500;

type PathListener = (path: ProbePath) => void;

export interface TwinProber extends ProberPort {
  /** Called when a path begins or ends to fail. */
  onTurn(listener: PathListener): void;
  readonly paths: readonly ProbePath[];
  /** `observations`, at once: for who looks from outside the simulated time. */
  observe(): readonly PathObservation[];
}

export function createProber(world: World): TwinProber {
  return new Prober(world);
}

class Prober implements TwinProber {
  private readonly world: World;
  private readonly fabric: TwinFabric;
  private readonly ends: ProbeEnds;
  /** Paths that do not work as far as was seen, by what they ask for. */
  private readonly unwell = new Map<TargetKind, Set<ProbePath>>();
  private readonly listeners: PathListener[] = [];
  private readonly dirty: ProbePath[] = [];
  private index = new ProbeIndex([]);
  private ticking = false;
  private active = false;
  private following = false;
  private waitsForApi = false;

  constructor(world: World) {
    this.world = world;
    this.fabric = fabricOf(world);
    this.ends = new ProbeEnds(world.nodes);
  }

  get paths(): readonly ProbePath[] {
    return this.index.paths;
  }

  onTurn(listener: PathListener): void {
    this.listeners.push(listener);
  }

  start(): Promise<void> {
    const { kernel, constants } = this.world;
    const done = kernel.deferred<void>();
    kernel.after(constants.apiCallMs, () => {
      this.setUp();
      this.waitForPods(kernel.now() + START_PATIENCE_MS, () => done.resolve());
    });
    return done.promise;
  }

  failing(): Promise<readonly FailingPath[]> {
    return this.world.kernel.answer(this.world.constants.apiCallMs, () => {
      this.look();
      const now = this.world.kernel.now();
      return this.paths.flatMap((path) => {
        const { seen, sinceMs, classes } = path.log;
        if (seen.kind !== 'failing' || classes === undefined) return [];
        return [
          {
            from: { class: classes.from, node: path.from.node },
            to: { class: classes.to, node: path.to.node },
            sinceMs: now - sinceMs,
            message: seen.message,
          },
        ];
      });
    });
  }

  observations(): Promise<readonly PathObservation[]> {
    return this.world.kernel.answer(this.world.constants.apiCallMs, () => this.observe());
  }

  stop(): Promise<void> {
    return this.world.kernel.answer(this.world.constants.apiCallMs, () => {
      this.look();
      this.active = false;
      const now = this.world.kernel.now();
      for (const path of this.paths) path.log.note(now, { kind: 'off' }, 'host', 'host');
      for (const { kind, metadata } of probeObjects().toReversed()) {
        this.world.store.delete(kind, metadata.namespace, metadata.name);
      }
    });
  }

  observe(): readonly PathObservation[] {
    const now = this.world.kernel.now();
    const periodMs = this.world.constants.probePeriodMs;
    return this.paths.flatMap(({ from, to, log }) =>
      log.observations(
        now,
        { from: from.node, to: to.node },
        { protocol: protocolOf(to.kind), periodMs },
      ),
    );
  }

  private setUp(): void {
    for (const object of probeObjects()) this.ensure(object);
    this.index = new ProbeIndex(pathsOf(ringOf(this.world.nodes.keys())));
    this.active = true;
    this.follow();
    for (const pod of this.world.store.list('Pod', PROBE_NAMESPACE)) this.podChanged(pod, false);
    for (const path of this.paths) this.touch(path);
  }

  private ensure(object: KubeObject): void {
    const { kind, metadata } = object;
    if (this.world.store.get<string>(kind, metadata.namespace, metadata.name) !== undefined) return;
    this.world.store.create(object);
  }

  private waitForPods(deadline: number, done: () => void): void {
    const { kernel, nodes } = this.world;
    this.ends.lookAnew();
    const ready = [...nodes.values()].every(({ name, machine }) => {
      const { pod, host } = this.ends.on(name);
      return !machine.up || (pod !== undefined && host !== undefined);
    });
    if (ready || kernel.now() >= deadline) {
      this.look();
      done();
      return;
    }
    kernel.after(START_LOOK_MS, () => this.waitForPods(deadline, done));
  }

  private follow(): void {
    if (this.following) return;
    this.following = true;
    const { store } = this.world;
    store.watch('Pod', ({ type, object }) => {
      if (object.metadata.namespace === PROBE_NAMESPACE)
        this.podChanged(object, type === 'deleted');
    });
    this.fabric.onPathChange((node, podUid) => this.networkChanged(node, podUid));
    this.fabric.services.onChange((key, left) => this.serviceChanged(key, left));
    this.fabric.policies.onChange(() => this.touchAll(this.paths));
  }

  private podChanged(pod: PodObject, gone: boolean): void {
    const node = pod.spec.nodeName;
    const app = pod.metadata.labels?.['app'];
    if (node === undefined || (app !== PROBE_NAME && app !== HOST_PROBE_NAME)) return;
    const end = app === PROBE_NAME ? 'pod' : 'host';
    if (gone) this.ends.drop(end, node, pod);
    else this.ends.put(end, node, pod);
    this.touchAll(this.index.endingOn(node));
    this.touchAll(this.index.through(pod.metadata.uid ?? ''));
  }

  private networkChanged(node: string, podUid: string | undefined): void {
    if (!this.active) return;
    if (podUid !== undefined) {
      this.touchAll(this.index.through(podUid));
      if (this.ends.podOn(node)?.metadata.uid === podUid) this.touchAll(this.index.endingOn(node));
      return;
    }
    this.touchAll(this.index.endingOn(node));
    this.touchAll(this.index.throughNode(node));
    if (this.world.nodes.get(node)?.role === 'control-plane')
      this.touchAll(this.index.to('apiserver'));
  }

  /** Paths keep to their backend while it is there; those without one look again. */
  private serviceChanged(key: string, left: readonly string[] | undefined): void {
    if (!this.active) return;
    const kinds = KINDS_OF_SERVICE.get(key);
    if (kinds === undefined) return;
    for (const uid of left ?? this.index.backends()) {
      for (const path of this.index.through(uid)) if (kinds.has(path.to.kind)) this.touch(path);
    }
    for (const kind of kinds) this.touchAll(this.unwell.get(kind) ?? []);
  }

  private touchAll(paths: Iterable<ProbePath>): void {
    for (const path of paths) this.touch(path);
  }

  private touch(path: ProbePath): void {
    if (path.dirty || !this.active) return;
    path.dirty = true;
    this.dirty.push(path);
    if (this.ticking) return;
    this.ticking = true;
    const { kernel, constants } = this.world;
    const period = constants.probePeriodMs;
    kernel.after(period - (kernel.now() % period), () => {
      this.ticking = false;
      this.look();
    });
  }

  /** The fate of every path that an event touched. */
  private look(): void {
    const paths = this.dirty.splice(0);
    const now = this.world.kernel.now();
    this.ends.lookAnew();
    for (const path of paths) {
      path.dirty = false;
      if (!this.active) continue;
      const { from, to } = path;
      const seen = this.see(path);
      const turned = path.log.note(
        now,
        seen,
        from.end === 'host' ? 'host' : this.ends.on(from.node).podClass,
        to.kind === 'pod' ? this.ends.on(to.node).podClass : to.kind,
      );
      this.setUnwell(path, seen.kind !== 'ok');
      if (turned) for (const listener of this.listeners) listener(path);
    }
  }

  private setUnwell(path: ProbePath, isUnwell: boolean): void {
    const { kind } = path.to;
    let paths = this.unwell.get(kind);
    if (paths === undefined) this.unwell.set(kind, (paths = new Set()));
    if (isUnwell) paths.add(path);
    else paths.delete(path);
  }

  private see(path: ProbePath): Seen {
    const from = this.ends.on(path.from.node)[path.from.end];
    if (from === undefined) return { kind: 'off' };
    const target = this.targetOf(path);
    if (target === undefined) {
      // A receiver that never ran is not missed.
      if (!path.log.used) return { kind: 'off' };
      return {
        kind: 'failing',
        message: `the probe on ${path.to.node} does not run`,
        because: this.absence(path.to.node),
      };
    }
    const { verdict, backend } = this.fabric.trace(from, target);
    this.index.setBackend(
      path,
      backend === undefined ? undefined : { uid: backend.podUid, node: backend.node },
    );
    if (verdict.ok) return { kind: 'ok', sourceSeen: verdict.sourceSeen };
    if (path.to.kind === 'apiserver') this.waitForApi();
    return { kind: 'failing', message: verdict.message, because: verdict.because };
  }

  private absence(node: string): readonly number[] {
    const pod = this.ends.podOn(node);
    if (pod === undefined) return [];
    const twinNode = this.world.nodes.get(node);
    const detached =
      twinNode === undefined ? [] : networkOf(twinNode).whyDetached(pod.metadata.uid ?? '');
    return detached.length > 0 ? detached : this.world.store.causesOf(pod);
  }

  private waitForApi(): void {
    if (this.waitsForApi || this.world.api.healthy() || this.world.api.whenHealthy === undefined)
      return;
    this.waitsForApi = true;
    this.world.api.whenHealthy(() => {
      this.waitsForApi = false;
      this.touchAll(this.index.to('apiserver'));
    });
  }

  private targetOf(path: ProbePath): Destination | undefined {
    const { kind, node } = path.to;
    switch (kind) {
      case 'pod':
        return this.ends.on(node).pod;
      case 'host':
        return { kind: 'host', node };
      case 'nodeport':
        return { kind: 'nodeport', node, namespace: PROBE_NAMESPACE, name: PROBE_NAME };
      case 'service':
        return { kind: 'service', namespace: PROBE_NAMESPACE, name: PROBE_NAME };
      case 'dns-internal':
        return { kind: 'dns', question: 'internal' };
      case 'dns-external':
        return { kind: 'dns', question: 'external' };
      case 'egress':
        return { kind: 'outside' };
      case 'apiserver':
        return { kind: 'apiserver' };
    }
  }
}

/** The path classes whose packets a service hands on. */
const KINDS_OF_SERVICE: ReadonlyMap<string, ReadonlySet<TargetKind>> = new Map<
  string,
  ReadonlySet<TargetKind>
>([
  [`${PROBE_NAMESPACE}/${PROBE_NAME}`, new Set(['service', 'nodeport'])],
  [DNS_SERVICE, new Set(['dns-internal', 'dns-external'])],
]);
