/**
 * Pods over their restarts: a replacement takes over from the pod it replaces, by owner, first gone
 * first; a new sandbox in place is a restart too, a container that starts again is not. A pod that
 * failed is as good as gone to its owner. Pods of the prober are left out. Follows the store's watch; nothing is asked again.
 */
import {
  controllerOf,
  type KubeObject,
  objectKey,
  type PodObject,
} from '../../model/kubernetes.ts';
import { isReady } from '../network/service-table.ts';
import { PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import { POD_COUNT, POD_PART, sandboxStatus } from '../store/pod-changes.ts';
import type { World } from '../world.ts';

interface Outage {
  readonly from: number;
  /** Undefined while it lasts. */
  until: number | undefined;
}

/** What begins and ends a pod's life and its sandbox's; what its containers wait for is not followed. */
const LIFE = POD_COUNT | POD_PART.node | POD_PART.podIp | POD_PART.sandbox;

export interface Lineage {
  /** `namespace/name` of its newest pod. */
  pod: PodObject;
  /** It was there when the observer began. */
  readonly original: boolean;
  restarts: number;
  /** Availability lost, in order; an outage spans a pod and its replacement. */
  readonly outages: Outage[];
  everReady: boolean;
  sandboxLost: boolean;
  /** Its present pod has not been started yet. */
  unstarted: boolean;
  /** Its pod is gone and none has taken over yet. */
  vacant: boolean;
  readonly since: number;
}

export class PodLineages {
  readonly all = new Set<Lineage>();
  private readonly world: World;
  private readonly byUid = new Map<string, Lineage>();
  /** Lineages whose pod is gone, and new pods nobody has made room for, by owner. */
  private readonly vacant = new Map<string, Lineage[]>();
  private readonly surplus = new Map<string, Lineage[]>();
  private readonly deployments = new Map<string, string>();

  constructor(world: World) {
    this.world = world;
    for (const set of world.store.list('ReplicaSet')) this.learn(set);
    for (const pod of world.store.list('Pod'))
      if (isObserved(pod) && !isReplaced(pod)) this.begin(pod, true);
    world.store.watch('ReplicaSet', ({ object }) => this.learn(object));
    world.store.watchPods({ parts: LIFE }, ({ type, object, old }) => {
      if (!isObserved(object)) return;
      if (type === 'deleted' || isReplaced(object)) this.gone(object);
      else this.seen(object, old);
    });
  }

  private learn(set: KubeObject): void {
    const owner = controllerOf(set);
    const { uid } = set.metadata;
    if (owner !== undefined && uid !== undefined) this.deployments.set(uid, owner.name);
  }

  /**
   * What a replacement is looked for by: the Deployment rather than its ReplicaSet of the day, and by
   * name, since an owner that was deleted and made again still runs the same pods.
   */
  private groupOf(pod: PodObject): string {
    const owner = controllerOf(pod);
    if (owner === undefined) return `bare ${objectKey(pod)}`;
    const name = this.deployments.get(owner.uid) ?? owner.name;
    const top = `${owner.kind} ${pod.metadata.namespace ?? ''}/${name}`;
    if (owner.kind === 'DaemonSet') return `${top} ${pod.spec.nodeName ?? wantedNode(pod)}`;
    if (owner.kind === 'StatefulSet' || owner.kind === 'InstanceManager')
      return `${top} ${pod.metadata.name}`;
    return top;
  }

  private begin(pod: PodObject, original: boolean): Lineage {
    const lineage: Lineage = {
      pod,
      original,
      restarts: 0,
      outages: [],
      everReady: isReady(pod),
      sandboxLost: false,
      unstarted: false,
      vacant: false,
      since: this.world.kernel.now(),
    };
    this.all.add(lineage);
    this.byUid.set(pod.metadata.uid ?? '', lineage);
    return lineage;
  }

  private seen(pod: PodObject, old: PodObject | undefined): void {
    const known = this.byUid.get(pod.metadata.uid ?? '');
    if (known !== undefined) {
      this.follow(known, pod, old);
      return;
    }
    const group = this.groupOf(pod);
    const heir = this.vacant.get(group)?.shift();
    if (heir !== undefined) {
      this.takeOver(heir, pod);
      return;
    }
    const lineage = this.begin(pod, false);
    push(this.surplus, group, lineage);
  }

  private takeOver(lineage: Lineage, pod: PodObject): void {
    lineage.restarts += 1;
    lineage.vacant = false;
    lineage.sandboxLost = false;
    lineage.unstarted = true;
    lineage.pod = pod;
    this.byUid.set(pod.metadata.uid ?? '', lineage);
    if (isReady(pod)) this.available(lineage);
  }

  private follow(lineage: Lineage, pod: PodObject, old: PodObject | undefined): void {
    lineage.pod = pod;
    if (old !== undefined) this.followSandbox(lineage, pod, old);
    if (isReady(pod) && pod.metadata.deletionTimestamp === undefined) this.available(lineage);
    else this.unavailable(lineage);
  }

  /** A sandbox that was ready, was not, and is again; or one whose address changed in one step. */
  private followSandbox(lineage: Lineage, pod: PodObject, old: PodObject): void {
    const before = hasSandbox(old);
    const after = hasSandbox(pod);
    if (after === true) lineage.unstarted = false;
    if (before === true && after === false) lineage.sandboxLost = true;
    const moved =
      before === true &&
      after === true &&
      old.status.podIP !== undefined &&
      pod.status.podIP !== old.status.podIP;
    if ((lineage.sandboxLost && after === true) || moved) {
      lineage.sandboxLost = false;
      lineage.restarts += 1;
    }
  }

  private available(lineage: Lineage): void {
    lineage.everReady = true;
    const last = lineage.outages.at(-1);
    if (last !== undefined && last.until === undefined) last.until = this.world.kernel.now();
  }

  private unavailable(lineage: Lineage): void {
    if (!lineage.everReady) return;
    const last = lineage.outages.at(-1);
    if (last !== undefined && last.until === undefined) return;
    lineage.outages.push({ from: this.world.kernel.now(), until: undefined });
  }

  private gone(pod: PodObject): void {
    const uid = pod.metadata.uid ?? '';
    const lineage = this.byUid.get(uid);
    if (lineage === undefined) return;
    this.byUid.delete(uid);
    if (lineage.pod.metadata.uid !== uid) return;
    lineage.pod = pod;
    const group = this.groupOf(pod);
    const queue = this.surplus.get(group) ?? [];
    const own = queue.indexOf(lineage);
    if (own >= 0) queue.splice(own, 1);
    this.unavailable(lineage);
    // A pod that a node rejected was made, and never restarted anything.
    if (isReplaced(pod) && lineage.unstarted) lineage.restarts -= 1;
    lineage.unstarted = false;
    const successor = queue.find(
      (candidate) => !candidate.vacant && candidate.pod.metadata.deletionTimestamp === undefined,
    );
    if (successor !== undefined) {
      queue.splice(queue.indexOf(successor), 1);
      this.merge(lineage, successor);
      return;
    }
    lineage.vacant = true;
    push(this.vacant, group, lineage);
  }

  /** The replacement was there before the pod it replaces was gone. */
  private merge(lineage: Lineage, successor: Lineage): void {
    this.all.delete(successor);
    const restarts = successor.restarts;
    this.takeOver(lineage, successor.pod);
    lineage.restarts += restarts;
  }
}

/** A DaemonSet pod is made for a node, by affinity, before the scheduler binds it. */
function wantedNode(pod: PodObject): string {
  const rules = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const field = rules?.nodeSelectorTerms.flatMap(({ matchFields = [] }) => matchFields)[0];
  return field?.key === 'metadata.name' ? (field.values?.[0] ?? '') : '';
}

function isObserved(pod: PodObject): boolean {
  return pod.metadata.namespace !== PROBE_NAMESPACE;
}

/** It failed, and its owner makes another. */
function isReplaced(pod: PodObject): boolean {
  return pod.status.phase === 'Failed' && controllerOf(pod) !== undefined;
}

/** Undefined when the status does not tell. */
function hasSandbox(pod: PodObject): boolean | undefined {
  const status = sandboxStatus(pod);
  return status === undefined ? undefined : status === 'True';
}

function push(index: Map<string, Lineage[]>, key: string, lineage: Lineage): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [lineage]);
  else list.push(lineage);
}
