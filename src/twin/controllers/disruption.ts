/**
 * PodDisruptionBudgets: which pods each one covers, and how many of them may go now. Counts are kept
 * by differences, and an eviction takes its allowance at once, so that two at the same moment do not
 * share one (KK pkg/controller/disruption, registry/core/pod/storage/eviction.go).
 */
import {
  controllerOf,
  objectKey,
  type OwnerReference,
  type PodDisruptionBudgetObject,
  type PodObject,
} from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { POD_COUNT } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { countOf } from './pod-factory.ts';
import { SelectorIndex } from './selector-index.ts';
import { WorkQueue } from './work-queue.ts';

export interface Allowance {
  readonly expectedPods: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly disruptionsAllowed: number;
}

interface Member {
  /** `namespace/name` of the pod. */
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly owner: OwnerReference | undefined;
  healthy: boolean;
  /** An eviction was granted; what is heard of the pod from before that does not count. */
  leaving: boolean;
}

class Cover {
  readonly key: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly members = new Map<string, Member>();
  readonly unhealthy = new Set<Member>();
  readonly owners = new Map<string, { readonly owner: OwnerReference; pods: number }>();
  healthy = 0;
  bare = 0;

  constructor(budget: PodDisruptionBudgetObject) {
    this.key = objectKey(budget);
    this.namespace = budget.metadata.namespace;
    this.name = budget.metadata.name;
  }

  /** Whether the counts have changed. */
  put(pod: PodObject): boolean {
    const key = objectKey(pod);
    const uid = pod.metadata.uid ?? '';
    const known = this.members.get(key);
    const healthy = isHealthy(pod);
    if (known !== undefined && known.uid === uid)
      return this.setHealth(known, healthy && !known.leaving);
    this.drop(key);
    const owner = controllerOf(pod);
    const { namespace, name } = pod.metadata;
    const member = { key, namespace, name, uid, owner, healthy, leaving: false };
    this.members.set(key, member);
    if (healthy) this.healthy += 1;
    else this.unhealthy.add(member);
    if (owner === undefined) this.bare += 1;
    else {
      const entry = this.owners.get(owner.uid) ?? { owner, pods: 0 };
      entry.pods += 1;
      this.owners.set(owner.uid, entry);
    }
    return true;
  }

  drop(key: string): boolean {
    const member = this.members.get(key);
    if (member === undefined) return false;
    this.members.delete(key);
    if (member.healthy) this.healthy -= 1;
    else this.unhealthy.delete(member);
    if (member.owner === undefined) this.bare -= 1;
    else {
      const entry = this.owners.get(member.owner.uid);
      if (entry !== undefined) entry.pods -= 1;
      if (entry?.pods === 0) this.owners.delete(member.owner.uid);
    }
    return true;
  }

  leave(key: string): void {
    const member = this.members.get(key);
    if (member === undefined) return;
    member.leaving = true;
    this.setHealth(member, false);
  }

  private setHealth(member: Member, healthy: boolean): boolean {
    if (member.healthy === healthy) return false;
    member.healthy = healthy;
    this.healthy += healthy ? 1 : -1;
    if (healthy) this.unhealthy.delete(member);
    else this.unhealthy.add(member);
    return true;
  }
}

export class Budgets {
  private readonly store: ObjectStore;
  private readonly index = new SelectorIndex<Cover>();
  private readonly covers = new Map<string, Cover>();
  private readonly listeners: ((key: string) => void)[] = [];

  constructor(store: ObjectStore) {
    this.store = store;
    for (const budget of store.list('PodDisruptionBudget')) this.cover(budget);
    if (this.covers.size > 0) for (const pod of store.list('Pod')) this.podChanged(pod, false);
    store.watch('PodDisruptionBudget', ({ type, object, old }) => {
      if (type === 'modified' && old?.spec === object.spec) return;
      this.index.delete(objectKey(object));
      this.covers.delete(objectKey(object));
      if (type === 'deleted') return;
      this.cover(object);
      for (const pod of store.list('Pod', object.metadata.namespace ?? 'default')) {
        this.podChanged(pod, false);
      }
      this.tell(objectKey(object));
    });
    store.watchPods({ parts: POD_COUNT }, ({ type, object, old }) => {
      const same =
        type === 'modified' &&
        old !== undefined &&
        isHealthy(object) === isHealthy(old) &&
        !isThrough(object);
      if (!same) this.podChanged(object, type === 'deleted');
    });
  }

  /** The budgets that cover the pod. */
  of(pod: PodObject): PodDisruptionBudgetObject[] {
    const found: PodDisruptionBudgetObject[] = [];
    for (const { namespace, name } of this.coversOf(pod)) {
      const budget = this.store.get('PodDisruptionBudget', namespace, name);
      if (budget !== undefined) found.push(budget);
    }
    return found;
  }

  keys(): Iterable<string> {
    return this.covers.keys();
  }

  onChange(listener: (key: string) => void): void {
    this.listeners.push(listener);
  }

  /** The pod goes: from now on it is no healthy one. */
  leave(pod: PodObject): void {
    for (const cover of this.coversOf(pod)) cover.leave(objectKey(pod));
  }

  /** The budget with this key. */
  named(key: string): PodDisruptionBudgetObject | undefined {
    const cover = this.covers.get(key);
    if (cover === undefined) return undefined;
    return this.store.get('PodDisruptionBudget', cover.namespace, cover.name);
  }

  allowance(budget: PodDisruptionBudgetObject, key = objectKey(budget)): Allowance {
    const cover = this.covers.get(key);
    const currentHealthy = cover?.healthy ?? 0;
    const { minAvailable, maxUnavailable } = budget.spec;
    const byCount = typeof minAvailable === 'number';
    const expectedPods = byCount ? (cover?.members.size ?? 0) : this.expected(budget, cover);
    const desiredHealthy =
      maxUnavailable === undefined
        ? (countOf(minAvailable ?? 0, expectedPods, 'up') ?? 0)
        : Math.max(0, expectedPods - (countOf(maxUnavailable, expectedPods, 'up') ?? 0));
    const disruptionsAllowed =
      expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
    return { expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed };
  }

  /** The first pods that count as not healthy, by key; no more than `max`. */
  unhealthyOf(budget: PodDisruptionBudgetObject, max: number): readonly string[] {
    const found: string[] = [];
    for (const member of this.covers.get(objectKey(budget))?.members.values() ?? []) {
      if (found.length >= max) break;
      if (!member.healthy) found.push(member.key);
    }
    return found;
  }

  /** Whether it holds for one of the budget's pods that count as not healthy; no more than `max` are looked at. */
  someUnhealthy(key: string, max: number, holds: (pod: PodObject) => boolean): boolean {
    let left = max;
    for (const { namespace, name } of this.covers.get(key)?.unhealthy ?? []) {
      if (left === 0) return false;
      left -= 1;
      const pod = this.store.get('Pod', namespace, name);
      if (pod !== undefined && holds(pod)) return true;
    }
    return false;
  }

  /** How many pods there should be: the scale of their controllers, and each pod without one. */
  private expected(budget: PodDisruptionBudgetObject, cover: Cover | undefined): number {
    let sum = cover?.bare ?? 0;
    if (cover === undefined) return sum;
    for (const { owner, pods } of cover.owners.values())
      sum += this.scaleOf(budget.metadata.namespace, owner) ?? pods;
    return sum;
  }

  private scaleOf(
    namespace: string | undefined,
    { kind, name }: OwnerReference,
  ): number | undefined {
    if (kind !== 'ReplicaSet' && kind !== 'StatefulSet') return undefined;
    return this.store.get(kind, namespace, name)?.spec.replicas ?? 1;
  }

  private cover(budget: PodDisruptionBudgetObject): void {
    const cover = new Cover(budget);
    this.covers.set(cover.key, cover);
    if (budget.spec.selector === undefined) return;
    this.index.set(cover.key, budget.metadata.namespace ?? 'default', budget.spec.selector, cover);
  }

  private podChanged(pod: PodObject, deleted: boolean): void {
    for (const cover of this.coversOf(pod)) {
      const changed = deleted || isThrough(pod) ? cover.drop(objectKey(pod)) : cover.put(pod);
      if (changed) this.tell(cover.key);
    }
  }

  private coversOf(pod: PodObject): readonly Cover[] {
    return this.index.matching(pod.metadata.namespace ?? 'default', pod.metadata.labels);
  }

  private tell(key: string): void {
    for (const listener of this.listeners) listener(key);
  }
}

const registries = new WeakMap<ObjectStore, Budgets>();

export function budgetsOf(store: ObjectStore): Budgets {
  let budgets = registries.get(store);
  if (budgets === undefined) registries.set(store, (budgets = new Budgets(store)));
  return budgets;
}

/** Keeps each budget's status as `kubectl get pdb` shows it. */
export function startDisruptionController(world: World): void {
  const budgets = budgetsOf(world.store);
  const queue = new WorkQueue(world, (key) => {
    const budget = budgets.named(key);
    if (budget === undefined) return;
    const next = budgets.allowance(budget, key);
    const { metadata, status } = budget;
    const same =
      status?.disruptionsAllowed === next.disruptionsAllowed &&
      status.currentHealthy === next.currentHealthy &&
      status.desiredHealthy === next.desiredHealthy &&
      status.expectedPods === next.expectedPods;
    if (same) return;
    world.store.update('PodDisruptionBudget', metadata.namespace, metadata.name, (object) => ({
      ...object,
      status: { ...object.status, ...next },
    }));
  });
  budgets.onChange((key) => queue.add(key));
  for (const key of budgets.keys()) queue.add(key);
}

function isHealthy(pod: PodObject): boolean {
  return pod.metadata.deletionTimestamp === undefined && isPodReady(pod);
}

function isThrough(pod: PodObject): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}
