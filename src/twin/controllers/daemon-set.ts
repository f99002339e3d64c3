/**
 * The DaemonSet controller: one pod per node that fits, replaced by strategy when the template
 * changes (KK pkg/controller/daemon). Nodes that changed are looked at, not all of them.
 */
import {
  controllerOf,
  type DaemonSetObject,
  type NodeObject,
  objectKey,
  type PodObject,
  type Taint,
} from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import type { Change } from '../store/object-store.ts';
import { POD_COUNT } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { ControllerRevisions, REVISION_HASH as REVISION } from './controller-revisions.ts';
import { automaticTolerations, pinnedTo } from './daemon-placement.ts';
import {
  DAEMON_SET_COMPONENT as COMPONENT,
  FailedPodBackOff,
  tellFailed,
} from './failed-daemon-pods.ts';
import { matchesNodeSelector, pinnedNode, untolerated } from './node-fit.ts';
import { countOf, type PodFactory } from './pod-factory.ts';
import { TemplateNames } from './template-hash.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

interface Counts {
  desired: number;
  current: number;
  ready: number;
  updated: number;
}

interface State {
  readonly uid: string;
  /** Pods by node. */
  readonly pods: Map<string, Set<string>>;
  /** Nodes to look at. */
  readonly dirty: Set<string>;
  /** What each node that should have a pod adds to the counts. */
  readonly places: Map<string, Counts>;
  readonly counts: Counts;
  /** Nodes whose pod is of an old template: ready, and not ready. */
  readonly replaceable: Set<string>;
  readonly broken: Set<string>;
  revision: string;
}

export class DaemonSetController {
  private readonly world: World;
  private readonly factory: PodFactory;
  private readonly queue: WorkQueue;
  private readonly names = new TemplateNames();
  private readonly states = new Map<string, State>();
  private readonly failures: FailedPodBackOff;
  private readonly revisions: ControllerRevisions;

  constructor(world: World, factory: PodFactory) {
    this.world = world;
    this.factory = factory;
    this.queue = new WorkQueue(world, (key) => this.sync(key));
    this.failures = new FailedPodBackOff(world);
    this.revisions = new ControllerRevisions(world);
    const { store } = world;
    for (const set of store.list('DaemonSet')) this.adopt(set);
    store.watch('DaemonSet', (change) => this.setChanged(change));
    store.watchPods({ parts: POD_COUNT, owner: 'DaemonSet' }, (change) => this.podChanged(change));
    store.watch('Node', (change) => this.nodeChanged(change));
  }

  private adopt(set: DaemonSetObject): void {
    const uid = set.metadata.uid ?? '';
    const state = freshState(uid);
    this.states.set(objectKey(set), state);
    let newest: PodObject | undefined;
    for (const pod of this.world.store.podsOf(uid)) {
      this.place(state, pod);
      const later =
        (pod.metadata.creationTimestamp ?? '') > (newest?.metadata.creationTimestamp ?? '');
      if (pod.metadata.labels?.[REVISION] !== undefined && (newest === undefined || later))
        newest = pod;
    }
    // What runs is taken to be what the template says; its label is the name of the template.
    const seen = newest?.metadata.labels?.[REVISION];
    if (seen !== undefined) this.names.learn(uid, set.spec.template, seen);
    state.revision = this.names.nameOf(uid, set.spec.template);
    this.allDirty(objectKey(set), state);
  }

  // ------------------------------------------------------------ what it hears

  private setChanged({ type, object }: Change<DaemonSetObject>): void {
    const key = objectKey(object);
    if (type === 'deleted') {
      this.states.delete(key);
      return;
    }
    const state = this.states.get(key);
    if (state === undefined || state.uid !== object.metadata.uid) {
      this.adopt(object);
      return;
    }
    const revision = this.names.nameOf(state.uid, object.spec.template);
    if (revision !== state.revision) {
      state.revision = revision;
      this.allDirty(key, state);
    } else if (object.metadata.generation !== object.status?.observedGeneration)
      this.queue.add(key);
  }

  private podChanged({ type, object }: Change<PodObject>): void {
    const owner = controllerOf(object);
    if (owner === undefined) return;
    const key = `${object.metadata.namespace ?? 'default'}/${owner.name}`;
    const state = this.states.get(key);
    if (state === undefined || state.uid !== owner.uid) return;
    const node = nodeOf(object);
    if (node === undefined) return;
    if (type === 'deleted') state.pods.get(node)?.delete(object.metadata.name);
    else this.place(state, object);
    state.dirty.add(node);
    this.queue.add(key);
  }

  private nodeChanged({ type, object, old }: Change<NodeObject>): void {
    const same =
      type === 'modified' &&
      old?.metadata.labels === object.metadata.labels &&
      old?.spec.taints === object.spec.taints;
    if (same) return;
    for (const [key, state] of this.states) {
      if (type === 'modified' && this.isSettled(key, state, object)) continue;
      state.dirty.add(object.metadata.name);
      this.queue.add(key);
    }
  }

  /** The node has its pod, or none, as it should (KK pkg/controller/daemon, `syncNodeUpdate`). */
  private isSettled(key: string, state: State, node: NodeObject): boolean {
    const { namespace, name } = splitKey(key);
    const set = this.world.store.get('DaemonSet', namespace, name);
    if (set === undefined) return true;
    const { run, stay } = fits(set, node);
    const hasPod = (state.pods.get(node.metadata.name)?.size ?? 0) > 0;
    return run === state.places.has(node.metadata.name) && (hasPod ? stay : !run);
  }

  // ------------------------------------------------------------ sync

  private sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = this.world.store.get('DaemonSet', namespace, name);
    const state = this.states.get(key);
    if (set === undefined || state === undefined || set.metadata.deletionTimestamp !== undefined)
      return;
    this.revisions.record(set, state.revision);
    const dirty = [...state.dirty];
    state.dirty.clear();
    let refused = false;
    for (const node of dirty) {
      const done = this.manage(set, state, node);
      this.count(set, state, node);
      if (done) continue;
      state.dirty.add(node);
      refused = true;
    }
    if (refused) this.queue.retry(key);
    else this.queue.succeeded(key);
    this.roll(set, state);
    this.writeStatus(set, state.counts);
  }

  /** False when a pod that should be created was refused. */
  private manage(set: DaemonSetObject, state: State, nodeName: string): boolean {
    const node = this.world.store.get('Node', undefined, nodeName);
    const pods = this.podsAt(set, state, nodeName);
    if (node === undefined) {
      if (pods.length === 0) state.pods.delete(nodeName);
      return true;
    }
    if (!state.pods.has(nodeName)) state.pods.set(nodeName, new Set());
    const { run, stay } = fits(set, node);
    if (!stay) {
      for (const pod of pods) this.remove(pod);
      return true;
    }
    const failed = pods.filter((pod) => pod.status.phase === 'Failed');
    if (failed.length > 0) this.replaceFailed(set, state, nodeName, failed);
    if (!run || pods.length > 0) return true;
    return this.factory.create({
      owner: set,
      name: { prefix: `${set.metadata.name}-` },
      template: set.spec.template,
      labels: { [REVISION]: state.revision },
      spec: pinnedTo(set.spec.template.spec, nodeName),
      component: COMPONENT,
      hold: () => this.hold(objectKey(set), state, nodeName),
    });
  }

  /** The node is looked at again when the API server's late answer is a refusal. */
  private hold(key: string, state: State, node: string): (failed: boolean) => void {
    const settled = this.queue.hold(key);
    return (failed) => {
      if (failed) state.dirty.add(node);
      settled(failed);
    };
  }

  private replaceFailed(
    set: DaemonSetObject,
    state: State,
    node: string,
    failed: readonly PodObject[],
  ): void {
    const wait = this.failures.waitFor(`${state.uid}/${node}`);
    if (wait === 0) {
      for (const pod of failed) {
        tellFailed(this.world, set, pod, node);
        this.remove(pod);
      }
      return;
    }
    this.world.kernel.after(wait, () => {
      state.dirty.add(node);
      this.queue.add(objectKey(set));
    });
  }

  /** What of the node counts, after it was looked at. */
  private count(set: DaemonSetObject, state: State, nodeName: string): void {
    const before = state.places.get(nodeName);
    if (before !== undefined) addTo(state.counts, before, -1);
    state.replaceable.delete(nodeName);
    state.broken.delete(nodeName);
    const node = this.world.store.get('Node', undefined, nodeName);
    if (node === undefined || !fits(set, node).run) {
      state.places.delete(nodeName);
      return;
    }
    const pod = this.podsAt(set, state, nodeName).find(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
    const ready = pod !== undefined && isPodReady(pod);
    const updated = pod?.metadata.labels?.[REVISION] === state.revision;
    const place = {
      desired: 1,
      current: pod === undefined ? 0 : 1,
      ready: ready ? 1 : 0,
      updated: updated ? 1 : 0,
    };
    state.places.set(nodeName, place);
    addTo(state.counts, place, 1);
    if (pod !== undefined && !updated) (ready ? state.replaceable : state.broken).add(nodeName);
  }

  /** Pods of an old template that are broken go freely, the others as maxUnavailable allows. */
  private roll(set: DaemonSetObject, state: State): void {
    if (set.spec.updateStrategy?.type === 'OnDelete') return;
    const { counts, broken, replaceable } = state;
    for (const node of broken) this.removeAt(set, state, node);
    const limit = Math.max(1, countOf(maxUnavailable(set), counts.desired, 'up') ?? 1);
    let room = limit - (counts.desired - counts.ready);
    for (const node of replaceable) {
      if (room <= 0) return;
      room -= 1;
      this.removeAt(set, state, node);
    }
  }

  private removeAt(set: DaemonSetObject, state: State, node: string): void {
    for (const pod of this.podsAt(set, state, node)) this.remove(pod);
    // Counted at once: another sync may come before the deletion is heard of.
    this.count(set, state, node);
  }

  private writeStatus(set: DaemonSetObject, counts: Counts): void {
    const { status, metadata } = set;
    const observedGeneration = metadata.generation ?? 1;
    const next = {
      desiredNumberScheduled: counts.desired,
      currentNumberScheduled: counts.current,
      numberReady: counts.ready,
      updatedNumberScheduled: counts.updated,
      observedGeneration,
    };
    const same =
      status?.desiredNumberScheduled === next.desiredNumberScheduled &&
      status.currentNumberScheduled === next.currentNumberScheduled &&
      status.numberReady === next.numberReady &&
      status.updatedNumberScheduled === next.updatedNumberScheduled &&
      status.observedGeneration === observedGeneration;
    if (same) return;
    this.world.store.update('DaemonSet', metadata.namespace, metadata.name, (object) => ({
      ...object,
      status: { ...object.status, ...next },
    }));
  }

  // ------------------------------------------------------------ pods

  private podsAt(set: DaemonSetObject, state: State, node: string): PodObject[] {
    const found: PodObject[] = [];
    for (const name of state.pods.get(node) ?? []) {
      const pod = this.world.store.get('Pod', set.metadata.namespace, name);
      if (pod !== undefined) found.push(pod);
    }
    return found;
  }

  private remove(pod: PodObject): void {
    this.world.store.delete('Pod', pod.metadata.namespace, pod.metadata.name);
  }

  private place(state: State, pod: PodObject): void {
    const node = nodeOf(pod);
    if (node === undefined) return;
    let pods = state.pods.get(node);
    if (pods === undefined) state.pods.set(node, (pods = new Set()));
    pods.add(pod.metadata.name);
  }

  private allDirty(key: string, state: State): void {
    for (const node of this.world.store.list('Node')) {
      state.dirty.add(node.metadata.name);
      if (!state.pods.has(node.metadata.name)) state.pods.set(node.metadata.name, new Set());
    }
    this.queue.add(key);
  }
}

function freshState(uid: string): State {
  return {
    uid,
    pods: new Map(),
    dirty: new Set(),
    places: new Map(),
    counts: { desired: 0, current: 0, ready: 0, updated: 0 },
    replaceable: new Set(),
    broken: new Set(),
    revision: '',
  };
}

function addTo(counts: Counts, place: Counts, sign: 1 | -1): void {
  counts.desired += sign * place.desired;
  counts.current += sign * place.current;
  counts.ready += sign * place.ready;
  counts.updated += sign * place.updated;
}

/** What of a pod the controller looks at. */
function nodeOf(pod: PodObject): string | undefined {
  return pod.spec.nodeName ?? pinnedNode(pod.spec);
}

function maxUnavailable(set: DaemonSetObject): number | string {
  return set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
}

const SCHEDULE = new Set<Taint['effect']>(['NoSchedule', 'NoExecute']);
const EXECUTE = new Set<Taint['effect']>(['NoExecute']);

/** Whether the node should get a pod, and whether one that runs there may stay. */
function fits(
  set: DaemonSetObject,
  node: NodeObject,
): { readonly run: boolean; readonly stay: boolean } {
  const { spec } = set.spec.template;
  if (!matchesNodeSelector(spec, node)) return { run: false, stay: false };
  const { taints } = node.spec;
  if (taints === undefined || taints.length === 0) return { run: true, stay: true };
  const tolerations = [...(spec.tolerations ?? []), ...automaticTolerations(spec)];
  const stay = untolerated(taints, tolerations, EXECUTE) === undefined;
  return { run: stay && untolerated(taints, tolerations, SCHEDULE) === undefined, stay };
}
