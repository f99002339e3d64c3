/**
 * The prober on the twin. It sends nothing: it reckons, from what the paths meet (probe-traffic.ts),
 * what steady probes would have lost.
 */
import {
  CLOSED_NAME,
  closedPod,
  PROBE_NAMESPACE,
  probeObjects,
} from '../../knowledge/probes/objects.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { PathObservation } from '../../model/rehearsal.ts';
import type { ClosedPath, FailingPath, ProberPort } from '../../ports/prober.ts';
import { isReady } from '../network/service-table.ts';
import type { World } from '../world.ts';
import type { Seen } from './path-log.ts';
import { podClass, type ProbePath, protocolOf } from './probe-paths.ts';
import { ProbeTraffic } from './probe-traffic.ts';

/** How long `start` waits for probe pods that do not come up (milliseconds). */
const START_PATIENCE_MS = 120_000;
const START_LOOK_MS = 500;
/** Of so many paths one or none fails: those that do are put in order, rather than looked for. */
const FEW = 16;

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
  private readonly traffic: ProbeTraffic;
  private readonly listeners: PathListener[] = [];
  /** Paths that fail, as far as was seen. */
  private readonly unwell = new Set<ProbePath>();
  private ranked: readonly ProbePath[] | undefined;
  private ranks: ReadonlyMap<ProbePath, number> = new Map();
  /** Else others live in it. */
  private madeNamespace = false;

  constructor(world: World) {
    this.world = world;
    this.traffic = new ProbeTraffic(world, (path, seen, now) => this.seen(path, seen, now));
  }

  get paths(): readonly ProbePath[] {
    return this.traffic.paths;
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
      this.traffic.look();
      const now = this.world.kernel.now();
      return this.failingInOrder().flatMap((path) => {
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

  /** In the order of the paths: a gate asks before each step, and there are tens of thousands of paths. */
  private failingInOrder(): readonly ProbePath[] {
    const { paths, unwell } = this;
    if (unwell.size * FEW > paths.length) return paths.filter((path) => unwell.has(path));
    if (this.ranked !== paths) {
      this.ranked = paths;
      this.ranks = new Map(paths.map((path, rank) => [path, rank]));
    }
    const rankOf = (path: ProbePath): number => this.ranks.get(path) ?? -1;
    return [...unwell]
      .filter((path) => rankOf(path) >= 0)
      .toSorted((left, right) => rankOf(left) - rankOf(right));
  }

  observations(): Promise<readonly PathObservation[]> {
    return this.world.kernel.answer(this.world.constants.apiCallMs, () => this.observe());
  }

  forbidden(): Promise<readonly ClosedPath[]> {
    return this.world.kernel.answer(this.world.constants.apiCallMs, () => {
      this.ensure(closedPod());
      return this.closedPaths();
    });
  }

  stop(): Promise<void> {
    return this.world.kernel.answer(this.world.constants.apiCallMs, () => {
      this.world.store.delete('Pod', PROBE_NAMESPACE, CLOSED_NAME);
      this.traffic.stop();
      const now = this.world.kernel.now();
      for (const path of this.paths) path.log.note(now, { kind: 'off' }, 'host', 'host');
      this.unwell.clear();
      for (const { kind, metadata } of probeObjects().toReversed()) {
        if (kind === 'Namespace' && !this.madeNamespace) continue;
        this.world.store.delete(kind, metadata.namespace, metadata.name);
      }
    });
  }

  observe(): readonly PathObservation[] {
    const now = this.world.kernel.now();
    const periodMs = this.world.constants.probePeriodMs;
    return this.traffic.everProbed.flatMap(({ from, to, log }) =>
      log.observations(
        now,
        { from: from.node, to: to.node },
        { protocol: protocolOf(to.kind), periodMs },
      ),
    );
  }

  /** Nothing while the closed pod does not run. */
  private closedPaths(): readonly ClosedPath[] {
    const { store, nodes, fabric } = this.world;
    const closed = store.get('Pod', PROBE_NAMESPACE, CLOSED_NAME);
    const host = nodes.get(closed?.spec.nodeName ?? '');
    if (closed === undefined || host === undefined || !isReady(closed)) return [];
    const network = host.network.attachmentOf(closed.metadata.uid ?? '')?.network;
    const to = { class: podClass(network), node: host.name };
    this.traffic.ends.lookAnew();
    return [...nodes.values()].flatMap(({ name, machine }): readonly ClosedPath[] => {
      const ends = this.traffic.ends.on(name);
      if (!machine.up || ends.pod === undefined) return [];
      const reached = fabric.reach(ends.pod, { kind: 'pod', pod: closed }).ok;
      return [{ from: { class: ends.podClass, node: name }, to, reached }];
    });
  }

  private setUp(): void {
    for (const object of probeObjects()) this.ensure(object);
    this.traffic.start();
  }

  private ensure(object: KubeObject): void {
    const { kind, metadata } = object;
    if (this.world.store.get<string>(kind, metadata.namespace, metadata.name) !== undefined) return;
    this.world.store.create(object);
    if (kind === 'Namespace') this.madeNamespace = true;
  }

  private waitForPods(deadline: number, done: () => void): void {
    const { kernel, nodes } = this.world;
    const { ends } = this.traffic;
    ends.lookAnew();
    const ready = [...nodes.values()].every(({ name, machine }) => {
      const { pod, host } = ends.on(name);
      return !machine.up || (pod !== undefined && host !== undefined);
    });
    if (ready || kernel.now() >= deadline) {
      this.traffic.look();
      done();
      return;
    }
    kernel.after(START_LOOK_MS, () => this.waitForPods(deadline, done));
  }

  private seen(path: ProbePath, seen: Seen, now: number): void {
    const { from, to } = path;
    const { ends } = this.traffic;
    const turned = path.log.note(
      now,
      seen,
      from.end === 'host' ? 'host' : ends.on(from.node).podClass,
      to.kind === 'pod' ? ends.on(to.node).podClass : to.kind,
    );
    if (path.log.seen.kind === 'failing') this.unwell.add(path);
    else this.unwell.delete(path);
    if (turned) for (const listener of this.listeners) listener(path);
  }
}
