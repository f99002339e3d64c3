/**
 * The scheduler: one pod after the other, filters then scores, ties by the seed. It keeps sums per
 * node and the list of nodes that are not cordoned, so that a pod costs the nodes it could go to;
 * like the real one it stops looking when it has found enough of them.
 */
import type { Random } from '../../../base/random.ts';
import { type NodeObject, objectKey, type PodObject } from '../../../model/kubernetes.ts';
import type { OccurrenceId } from '../../../model/occurrence.ts';
import { eventRecorderOf } from '../../kubelet/event-recorder.ts';
import type { Change } from '../../store/object-store.ts';
import { POD_PART } from '../../store/pod-changes.ts';
import type { World } from '../../world.ts';
import { pinnedNode } from '../node-fit.ts';
import { type Demand, demandOf, kindOf, refusalOf, refusalText } from './filters.ts';
import { OwnerCounts } from './owner-counts.ts';
import { NodeState, ownerOf, type Requests, requestsOf } from './node-state.ts';
import { HOSTNAME, PodCounts } from './pod-counts.ts';
import { scoreOf } from './scores.ts';

interface Placed {
  readonly pod: PodObject;
  readonly node: string;
  readonly requests: Requests;
  readonly owner: string | undefined;
}

interface Waiting {
  readonly key: string;
  readonly causes: readonly OccurrenceId[];
}

const DEFAULT_SCHEDULER = 'default-scheduler';

/** What puts a pod into the queue, onto a node, or takes it off again. */
const PLACING = POD_PART.node | POD_PART.phase | POD_PART.deletion;

export class Scheduler {
  private readonly world: World;
  private readonly random: Random;
  private readonly states = new Map<string, NodeState>();
  private readonly placed = new Map<string, Placed>();
  private readonly counts: PodCounts;
  private readonly owners = new OwnerCounts();
  private queue: Waiting[] = [];
  private queued = new Set<string>();
  private head = 0;
  private busy = false;
  /** Pods that found no node, with whether pods that go could change that. */
  private readonly unschedulable = new Map<
    string,
    { readonly byPods: boolean; readonly text: string }
  >();
  private retryPlanned: 'no' | 'for-pods' | 'for-all' = 'no';
  private open: NodeState[] | undefined;
  private start = 0;

  constructor(world: World) {
    this.world = world;
    this.random = world.kernel.random.fork('scheduler');
    this.counts = new PodCounts(
      () => this.placed.values(),
      (node, key) => this.domainOf(node, key),
    );
    const { store } = world;
    for (const node of store.list('Node')) this.states.set(node.metadata.name, new NodeState(node));
    for (const pod of store.list('Pod')) this.see(pod);
    store.watch('Node', (change) => this.nodeChanged(change));
    store.watchPods({ parts: PLACING }, ({ type, object }) => {
      if (type === 'deleted') this.release(object);
      else this.see(object);
    });
  }

  // ------------------------------------------------------------ what it hears

  private see(pod: PodObject): void {
    const { phase } = pod.status;
    if (phase === 'Succeeded' || phase === 'Failed') this.release(pod);
    else if (pod.spec.nodeName !== undefined) this.place(pod, pod.spec.nodeName);
    else if (pod.metadata.deletionTimestamp === undefined && isOurs(pod)) {
      const key = objectKey(pod);
      if (!this.unschedulable.has(key)) this.enqueue(key);
    }
  }

  private place(pod: PodObject, node: string): void {
    const uid = pod.metadata.uid ?? objectKey(pod);
    if (this.placed.has(uid)) return;
    const entry = { pod, node, requests: requestsOf(pod), owner: ownerOf(pod) };
    this.placed.set(uid, entry);
    this.states.get(node)?.add(entry.requests, 1);
    this.owners.add(entry.owner, node, 1);
    this.counts.add(pod, node, 1);
  }

  private release(pod: PodObject): void {
    const key = objectKey(pod);
    this.unschedulable.delete(key);
    const uid = pod.metadata.uid ?? key;
    const entry = this.placed.get(uid);
    if (entry === undefined) return;
    this.placed.delete(uid);
    this.states.get(entry.node)?.add(entry.requests, -1);
    this.owners.add(entry.owner, entry.node, -1);
    this.counts.add(entry.pod, entry.node, -1);
    this.planRetry('for-pods');
  }

  private nodeChanged({ type, object, old }: Change<NodeObject>): void {
    const { name } = object.metadata;
    if (type === 'deleted') {
      this.states.delete(name);
      this.open = undefined;
      return;
    }
    const state = this.states.get(name);
    if (state === undefined) {
      const added = new NodeState(object);
      this.states.set(name, added);
      for (const { node, requests } of this.placed.values()) {
        if (node === name) added.add(requests, 1);
      }
    } else state.update(object);
    const same =
      old?.spec === object.spec &&
      old?.metadata.labels === object.metadata.labels &&
      old?.status.allocatable === object.status.allocatable;
    if (same) return;
    this.open = undefined;
    this.planRetry('for-all');
  }

  // ------------------------------------------------------------ queue

  private enqueue(key: string): void {
    if (this.queued.has(key)) return;
    this.queued.add(key);
    this.queue.push({ key, causes: this.world.kernel.causes });
    this.proceed();
  }

  private proceed(): void {
    if (this.busy || this.head >= this.queue.length) return;
    this.busy = true;
    const { kernel, constants, api } = this.world;
    kernel.because([], () =>
      kernel.after(constants.schedulerBindMs, () => {
        if (api.healthy() || api.whenHealthy === undefined) this.next();
        else api.whenHealthy(() => this.next());
      }),
    );
  }

  private next(): void {
    this.busy = false;
    const item = this.queue[this.head];
    this.head += 1;
    if (this.head > 1024 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    if (item !== undefined) {
      this.queued.delete(item.key);
      this.world.kernel.because(item.causes, () => this.schedule(item.key));
    }
    this.proceed();
  }

  private planRetry(what: 'for-pods' | 'for-all'): void {
    if (this.unschedulable.size === 0) return;
    const planned = this.retryPlanned;
    this.retryPlanned = planned === 'for-all' ? planned : what;
    if (planned !== 'no') return;
    this.world.kernel.after(this.world.constants.schedulerRetryMs, () => {
      const all = this.retryPlanned === 'for-all';
      this.retryPlanned = 'no';
      for (const [key, { byPods }] of this.unschedulable) if (all || byPods) this.enqueue(key);
    });
  }

  // ------------------------------------------------------------ one pod

  private schedule(key: string): void {
    const slash = key.indexOf('/');
    const pod = this.world.store.get('Pod', key.slice(0, slash), key.slice(slash + 1));
    if (pod === undefined || pod.spec.nodeName !== undefined) return;
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const demand = this.demandOf(pod);
    const refusals = new Map<string, number>();
    const found = this.feasible(demand, refusals);
    const best = this.best(demand, found.states);
    if (best === undefined) this.refuse(pod, key, refusals, found.byPods);
    else this.bind(pod, key, best.node.metadata.name);
  }

  private demandOf(pod: PodObject): Demand {
    const namespace = pod.metadata.namespace ?? 'default';
    const terms =
      pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    const apart = terms.map((term) => this.counts.countOf(namespace, term));
    return demandOf(pod, this.volumeTerms(pod), apart);
  }

  private volumeTerms(pod: PodObject): Demand['volumeTerms'] {
    const { store } = this.world;
    return (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => {
      if (persistentVolumeClaim === undefined) return [];
      const { claimName } = persistentVolumeClaim;
      const claim = store.get('PersistentVolumeClaim', pod.metadata.namespace, claimName);
      const name = claim?.spec.volumeName;
      const volume =
        name === undefined ? undefined : store.get('PersistentVolume', undefined, name);
      const required = volume?.spec.nodeAffinity?.required;
      return required === undefined ? [] : [required.nodeSelectorTerms];
    });
  }

  private feasible(
    demand: Demand,
    refusals: Map<string, number>,
  ): { readonly states: NodeState[]; readonly byPods: boolean } {
    const candidates = this.candidates(demand);
    const enough = enoughOf(candidates.length);
    const domainOf = (node: string, key: string): string | undefined => this.domainOf(node, key);
    const states: NodeState[] = [];
    let byPods = false;
    let looked = 0;
    while (looked < candidates.length && states.length < enough) {
      const state = candidates[(this.start + looked) % candidates.length];
      looked += 1;
      if (state === undefined) break;
      const refusal = refusalOf(demand, state, domainOf);
      if (refusal === undefined) states.push(state);
      else {
        refusals.set(refusal.reason, (refusals.get(refusal.reason) ?? 0) + 1);
        byPods ||= refusal.byPods;
      }
    }
    if (candidates.length > 0) this.start = (this.start + looked) % candidates.length;
    const cordoned = this.states.size - candidates.length;
    if (states.length === 0 && cordoned > 0 && pinnedNode(demand.pod.spec) === undefined) {
      refusals.set('node(s) were unschedulable', cordoned);
    }
    return { states, byPods };
  }

  private candidates(demand: Demand): readonly NodeState[] {
    const pinned = pinnedNode(demand.pod.spec);
    if (pinned !== undefined) {
      const state = this.states.get(pinned);
      return state === undefined ? [] : [state];
    }
    if (demand.toleratesCordon) return [...this.states.values()];
    this.open ??= [...this.states.values()].filter(({ cordoned }) => !cordoned);
    return this.open;
  }

  private best(demand: Demand, states: readonly NodeState[]): NodeState | undefined {
    if (states.length <= 1) return states[0];
    const namespace = demand.pod.metadata.namespace ?? 'default';
    const preferred =
      demand.pod.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ??
      [];
    const apart = preferred.map(({ weight = 1, podAffinityTerm }) => ({
      weight,
      count: this.counts.countOf(namespace, podAffinityTerm),
    }));
    const own = this.owners.of(ownerOf(demand.pod));
    const domainOf = (node: string, key: string): string | undefined => this.domainOf(node, key);
    let best: NodeState[] = [];
    let bestScore = -Infinity;
    for (const state of states) {
      let score = scoreOf(state, demand.requests, 0, apart, domainOf);
      if (score < bestScore) continue;
      // Pods of its own only make it worse: most nodes need not be asked for them.
      const here = own.size === 0 ? 0 : (own.get(state.name) ?? 0);
      if (here > 0) score = scoreOf(state, demand.requests, here, apart, domainOf);
      if (score < bestScore) continue;
      if (score > bestScore) best = [];
      bestScore = score;
      best.push(state);
    }
    return best.length > 1 ? this.random.pick(best) : best[0];
  }

  private bind(pod: PodObject, key: string, node: string): void {
    this.unschedulable.delete(key);
    const { namespace, name } = pod.metadata;
    const { store } = this.world;
    const bound = store.update('Pod', namespace, name, (object) => ({
      ...object,
      spec: { ...object.spec, nodeName: node },
      status: {
        ...object.status,
        conditions: [
          ...(object.status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled'),
          { type: 'PodScheduled', status: 'True', lastTransitionTime: store.timestamp() },
        ],
      },
    }));
    if (bound !== undefined) this.place(bound, node);
    const message = `Successfully assigned ${namespace ?? 'default'}/${name} to ${node}`;
    this.event(pod, 'Normal', 'Scheduled', message);
  }

  private refuse(
    pod: PodObject,
    key: string,
    refusals: ReadonlyMap<string, number>,
    byPods: boolean,
  ): void {
    const text = refusalText(refusals, this.states.size);
    const before = this.unschedulable.get(key);
    this.unschedulable.set(key, { byPods, text });
    this.event(pod, 'Warning', 'FailedScheduling', text);
    if (before?.text === text) return;
    const { kernel, store } = this.world;
    const { namespace = 'default', name } = pod.metadata;
    kernel.because(kernel.causes, () => {
      kernel.occur(kindOf(refusals), {
        subject: { kind: 'Pod', namespace, name },
        message: text,
      });
      store.update('Pod', namespace, name, (object) => ({
        ...object,
        status: {
          ...object.status,
          conditions: [
            ...(object.status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled'),
            {
              type: 'PodScheduled',
              status: 'False',
              reason: 'Unschedulable',
              message: text,
              lastTransitionTime: store.timestamp(),
            },
          ],
        },
      }));
    });
  }

  private event(pod: PodObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { namespace = 'default', name, uid } = pod.metadata;
    eventRecorderOf(this.world).record({
      subject: { kind: 'Pod', namespace, name },
      subjectUid: uid,
      component: 'default-scheduler',
      type,
      reason,
      message,
    });
  }

  private domainOf(node: string, topologyKey: string): string | undefined {
    if (topologyKey === HOSTNAME) return node;
    return this.states.get(node)?.node.metadata.labels?.[topologyKey];
  }
}

/** How many nodes that fit are enough: all of a hundred, then a share that falls to 5 % (KK schedule_one.go). */
function enoughOf(nodes: number): number {
  if (nodes < 100) return nodes;
  const percent = Math.max(5, 50 - Math.floor(nodes / 125));
  return Math.max(100, Math.floor((nodes * percent) / 100));
}

/** Pods that name another scheduler wait for that one (KK pkg/scheduler/eventhandlers.go responsibleForPod). */
function isOurs({ spec }: PodObject): boolean {
  return spec.schedulerName === undefined || spec.schedulerName === DEFAULT_SCHEDULER;
}
