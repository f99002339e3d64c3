/**
 * PodDisruptionBudgets: which pods each one covers, how many of them may go now. The numbers are
 * worked out from the store when somebody asks, so that two evictions at the same moment do not
 * both use the same allowance (KK pkg/controller/disruption, registry/core/pod/storage/eviction.go).
 */
import {
  controllerOf,
  objectKey,
  type PodDisruptionBudgetObject,
  type PodObject,
} from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { World } from '../world.ts';
import { countOf } from './pod-factory.ts';
import { SelectorIndex } from './selector-index.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

export interface Allowance {
  readonly expectedPods: number;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly disruptionsAllowed: number;
}

export class Budgets {
  private readonly store: ObjectStore;
  private readonly index = new SelectorIndex<string>();
  private readonly members = new Map<string, Set<string>>();
  private readonly listeners: ((key: string) => void)[] = [];

  constructor(store: ObjectStore) {
    this.store = store;
    for (const budget of store.list('PodDisruptionBudget')) this.put(budget);
    for (const pod of store.list('Pod')) this.place(pod);
    store.watch('PodDisruptionBudget', ({ type, object, old }) => {
      if (type === 'modified' && old?.spec === object.spec) return;
      this.drop(object);
      if (type === 'deleted') return;
      this.put(object);
      for (const pod of store.list('Pod', object.metadata.namespace ?? 'default')) this.place(pod);
      this.tell(objectKey(object));
    });
    store.watch('Pod', ({ type, object, old }) => {
      if (type === 'modified' && old !== undefined && !changesHealth(object, old)) return;
      for (const key of this.keysOf(object)) {
        if (type === 'deleted') this.members.get(key)?.delete(objectKey(object));
        else this.members.get(key)?.add(objectKey(object));
        this.tell(key);
      }
    });
  }

  /** The budgets that cover the pod. */
  of(pod: PodObject): PodDisruptionBudgetObject[] {
    return this.keysOf(pod).flatMap((key) => {
      const { namespace, name } = splitKey(key);
      return this.store.get('PodDisruptionBudget', namespace, name) ?? [];
    });
  }

  keys(): Iterable<string> {
    return this.members.keys();
  }

  onChange(listener: (key: string) => void): void {
    this.listeners.push(listener);
  }

  allowance(budget: PodDisruptionBudgetObject): Allowance {
    const pods = this.podsOf(budget);
    const currentHealthy = pods.filter(isHealthy).length;
    const { minAvailable, maxUnavailable } = budget.spec;
    const byCount = typeof minAvailable === 'number';
    const expectedPods = byCount ? pods.length : this.expected(pods);
    const desiredHealthy =
      maxUnavailable === undefined
        ? (countOf(minAvailable ?? 0, expectedPods, 'up') ?? 0)
        : Math.max(0, expectedPods - (countOf(maxUnavailable, expectedPods, 'up') ?? 0));
    const disruptionsAllowed =
      expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
    return { expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed };
  }

  private podsOf(budget: PodDisruptionBudgetObject): PodObject[] {
    const pods: PodObject[] = [];
    for (const key of this.members.get(objectKey(budget)) ?? []) {
      const { namespace, name } = splitKey(key);
      const pod = this.store.get('Pod', namespace, name);
      if (pod !== undefined && !isThrough(pod)) pods.push(pod);
    }
    return pods;
  }

  /** How many pods there should be: the scale of their controllers, and each pod without one. */
  private expected(pods: readonly PodObject[]): number {
    const owners = new Map<string, number>();
    let bare = 0;
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined) bare += 1;
      else if (!owners.has(owner.uid)) owners.set(owner.uid, this.scaleOf(pod, owner));
    }
    return [...owners.values()].reduce((sum, count) => sum + count, bare);
  }

  private scaleOf(
    pod: PodObject,
    owner: { readonly kind: string; readonly name: string; readonly uid: string },
  ): number {
    const { namespace } = pod.metadata;
    switch (owner.kind) {
      case 'ReplicaSet': {
        const set = this.store.get('ReplicaSet', namespace, owner.name);
        return set?.spec.replicas ?? 1;
      }
      case 'StatefulSet':
        return this.store.get('StatefulSet', namespace, owner.name)?.spec.replicas ?? 1;
      default:
        return this.store.podsOf(owner.uid).filter((candidate) => !isThrough(candidate)).length;
    }
  }

  private put(budget: PodDisruptionBudgetObject): void {
    const key = objectKey(budget);
    this.members.set(key, new Set());
    if (budget.spec.selector === undefined) return;
    this.index.set(key, budget.metadata.namespace ?? 'default', budget.spec.selector, key);
  }

  private drop(budget: PodDisruptionBudgetObject): void {
    this.index.delete(objectKey(budget));
    this.members.delete(objectKey(budget));
  }

  private place(pod: PodObject): void {
    for (const key of this.keysOf(pod)) this.members.get(key)?.add(objectKey(pod));
  }

  private keysOf(pod: PodObject): string[] {
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
    const { namespace, name } = splitKey(key);
    const budget = world.store.get('PodDisruptionBudget', namespace, name);
    if (budget === undefined) return;
    const next = budgets.allowance(budget);
    const { status } = budget;
    const same =
      status?.disruptionsAllowed === next.disruptionsAllowed &&
      status.currentHealthy === next.currentHealthy &&
      status.desiredHealthy === next.desiredHealthy &&
      status.expectedPods === next.expectedPods;
    if (same) return;
    world.store.update('PodDisruptionBudget', namespace, name, (object) => ({
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

function changesHealth(pod: PodObject, old: PodObject): boolean {
  return isHealthy(pod) !== isHealthy(old) || pod.status.phase !== old.status.phase;
}
