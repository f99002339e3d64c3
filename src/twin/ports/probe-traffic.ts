/**
 * What probes on the paths would meet. Nothing is sent: a path's fate can only change when something
 * on it does, so the paths that an event touches are looked at, at the next tick of the sending rate.
 */
import { HOST_PROBE_NAME, PROBE_NAME, PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import { ringOf } from '../../model/probe-paths.ts';
import { fabricOf, type TwinFabric } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { DNS_SERVICE } from '../network/service-table.ts';
import type { Destination, Ways, World } from '../world.ts';
import type { Seen } from './path-log.ts';
import { ProbeEnds } from './probe-ends.ts';
import { ProbeIndex } from './probe-index.ts';
import { pathsOf, type ProbePath, type TargetKind } from './probe-paths.ts';

/** Called with what a path that was touched meets now. */
type SeenListener = (path: ProbePath, seen: Seen, now: number) => void;

export class ProbeTraffic {
  readonly ends: ProbeEnds;
  private readonly world: World;
  private readonly fabric: TwinFabric;
  private readonly listener: SeenListener;
  /** Paths that do not work as far as was seen, by what they ask for. */
  private readonly unwell = new Map<TargetKind, Set<ProbePath>>();
  private readonly dirty: ProbePath[] = [];
  private index = new ProbeIndex([]);
  private former: readonly ProbePath[] = [];
  private ticking = false;
  private active = false;
  private following = false;
  private waitsForApi = false;

  constructor(world: World, listener: SeenListener) {
    this.world = world;
    this.fabric = fabricOf(world);
    this.ends = new ProbeEnds(world.nodes);
    this.listener = listener;
  }

  get paths(): readonly ProbePath[] {
    return this.index.paths;
  }

  /** Also those whose ends have other peers since a node joined. */
  get everProbed(): readonly ProbePath[] {
    return [...this.index.paths, ...this.former];
  }

  start(): void {
    this.index = new ProbeIndex(pathsOf(this.ring()));
    this.former = [];
    this.active = true;
    this.follow();
    for (const pod of this.world.store.list('Pod', PROBE_NAMESPACE)) this.podChanged(pod, false);
    for (const path of this.paths) this.touch(path);
  }

  stop(): void {
    this.look();
    this.active = false;
  }

  private follow(): void {
    if (this.following) return;
    this.following = true;
    const { store } = this.world;
    store.watch('Node', ({ type }) => {
      if (type === 'added' && this.active) this.closeRing();
    });
    store.watch('Pod', ({ type, object }) => {
      if (object.metadata.namespace === PROBE_NAMESPACE)
        this.podChanged(object, type === 'deleted');
    });
    this.fabric.onPathChange((node, podUid, ways) => this.networkChanged(node, podUid, ways));
    this.fabric.services.onChange((key, left) => this.serviceChanged(key, left));
    this.fabric.policies.onChange(() => this.touchAll(this.paths));
  }

  /** Of machines that are nodes. */
  private ring(): readonly string[] {
    const { nodes, store } = this.world;
    return ringOf([...nodes.keys()].filter((name) => store.get('Node', undefined, name)));
  }

  /** A node more in the ring moves few peers; the others are probed on as they were. */
  private closeRing(): void {
    const known = new Map(this.paths.map((path) => [keyOf(path), path]));
    const planned = pathsOf(this.ring());
    const paths = planned.map((path) => known.get(keyOf(path)) ?? path);
    const kept = new Set(paths);
    const now = this.world.kernel.now();
    const gone = this.paths.filter((path) => !kept.has(path));
    for (const path of gone) {
      this.listener(path, { kind: 'off' }, now);
      this.setUnwell(path, false);
    }
    this.former = [...this.former, ...gone];
    this.index = new ProbeIndex(paths);
    this.touchAll(paths);
  }

  private podChanged(pod: PodObject, gone: boolean): void {
    const node = pod.spec.nodeName;
    const app = pod.metadata.labels?.['app'];
    if (node === undefined || (app !== PROBE_NAME && app !== HOST_PROBE_NAME)) return;
    const end = app === PROBE_NAME ? 'pod' : 'host';
    const changed = gone ? this.ends.drop(end, node, pod) : this.ends.put(end, node, pod);
    if (!changed) return;
    this.touchAll(this.index.endingOn(node));
    this.touchAll(this.index.through(pod.metadata.uid ?? ''));
  }

  private networkChanged(node: string, podUid: string | undefined, ways: Ways): void {
    if (!this.active || ways === 'none') return;
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

  /** The fate of every path that an event touched, now. */
  look(): void {
    const paths = this.dirty.splice(0);
    const now = this.world.kernel.now();
    this.ends.lookAnew();
    for (const path of paths) {
      path.dirty = false;
      if (!this.active) continue;
      const seen = this.see(path);
      this.listener(path, seen, now);
      this.setUnwell(path, seen.kind !== 'ok');
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

function keyOf({ from, to }: ProbePath): string {
  return `${from.end} ${from.node} ${to.kind} ${to.node}`;
}

/** The path classes whose packets a service hands on. */
const KINDS_OF_SERVICE: ReadonlyMap<string, ReadonlySet<TargetKind>> = new Map<
  string,
  ReadonlySet<TargetKind>
>([
  [`${PROBE_NAMESPACE}/${PROBE_NAME}`, new Set(['service', 'nodeport'])],
  [DNS_SERVICE, new Set(['dns-internal', 'dns-external'])],
]);
