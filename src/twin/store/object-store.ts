/**
 * The API server's storage: objects by kind and key, resourceVersions, deletion with finalizers,
 * and watches that deliver a moment later, in order. Objects are immutable; an update replaces.
 * Every stored version remembers what it happened because of.
 */
import { assert } from '../../base/assert.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import { type KubeObject, objectKey, type PodObject } from '../../model/kubernetes.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectOf } from './kinds.ts';

export interface Change<T extends KubeObject = KubeObject> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** The new version; for `deleted`, the last one. */
  readonly object: T;
  readonly old?: T;
}

export type Watcher<T extends KubeObject> = (change: Change<T>) => void;

/** How long after a write its watchers hear of it (milliseconds). */
const WATCH_LATENCY = 3;

export class ObjectStore {
  private readonly kinds = new Map<string, Map<string, KubeObject>>();
  private readonly watchers = new Map<string, Watcher<KubeObject>[]>();
  private readonly podsByNode = new Map<string, Map<string, PodObject>>();
  private readonly podsByOwner = new Map<string, Map<string, PodObject>>();
  private readonly causes = new WeakMap<KubeObject, readonly OccurrenceId[]>();
  private undelivered: { change: Change; causes: readonly OccurrenceId[] }[] = [];
  private version = 0;
  private uidCount = 0;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get resourceVersion(): number {
    return this.version;
  }

  get<K extends string>(
    kind: K,
    namespace: string | undefined,
    name: string,
  ): ObjectOf<K> | undefined {
    const key = namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
    return this.kinds.get(kind)?.get(key) as ObjectOf<K> | undefined;
  }

  /** In order of creation. */
  list<K extends string>(kind: K, namespace?: string): ObjectOf<K>[] {
    const all = [...(this.kinds.get(kind)?.values() ?? [])] as ObjectOf<K>[];
    return namespace === undefined
      ? all
      : all.filter((object) => object.metadata.namespace === namespace);
  }

  podsOn(node: string): PodObject[] {
    return [...(this.podsByNode.get(node)?.values() ?? [])];
  }

  podsOf(ownerUid: string): PodObject[] {
    return [...(this.podsByOwner.get(ownerUid)?.values() ?? [])];
  }

  /** What the present version of the object happened because of. */
  causesOf(object: KubeObject): readonly OccurrenceId[] {
    return this.causes.get(object) ?? [];
  }

  /** Stores a new object; gives it uid, resourceVersion, generation and creation time. */
  create<T extends KubeObject>(object: T): T {
    const key = objectKey(object);
    assert(!this.mapOf(object.kind).has(key), `${object.kind} ${key} exists already`);
    const stored = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: object.metadata.uid ?? this.nextUid(),
        generation: object.metadata.generation ?? 1,
        creationTimestamp: object.metadata.creationTimestamp ?? this.timestamp(),
        resourceVersion: this.nextVersion(),
      },
    };
    this.put(stored);
    this.publish({ type: 'added', object: stored });
    return stored;
  }

  /** Replaces the object by what `change` returns; the same object back means no change. */
  update<K extends string>(
    kind: K,
    namespace: string | undefined,
    name: string,
    change: (object: ObjectOf<K>) => ObjectOf<K>,
  ): ObjectOf<K> | undefined {
    const old = this.get(kind, namespace, name);
    if (old === undefined) return undefined;
    const changed = change(old);
    if (changed === old) return old;
    const stored = {
      ...changed,
      metadata: {
        ...changed.metadata,
        resourceVersion: this.nextVersion(),
        ...(specChanged(old, changed) ? { generation: (old.metadata.generation ?? 1) + 1 } : {}),
      },
    };
    if (isGone(stored)) {
      this.drop(stored);
      this.publish({ type: 'deleted', object: stored, old });
      return stored;
    }
    this.put(stored);
    this.publish({ type: 'modified', object: stored, old });
    return stored;
  }

  /**
   * Deletes as the API does: an object with finalizers, or a pod on a node with a grace period,
   * gets a deletionTimestamp and stays; anything else goes at once.
   */
  delete(
    kind: string,
    namespace: string | undefined,
    name: string,
    gracePeriodSeconds?: number,
  ): void {
    const object = this.get(kind, namespace, name);
    if (object === undefined) return;
    const grace = gracePeriodSeconds ?? defaultGrace(object);
    const waits = (object.metadata.finalizers ?? []).length > 0 || grace > 0;
    if (!waits) {
      this.remove(kind, namespace, name);
      return;
    }
    if (object.metadata.deletionTimestamp !== undefined) return;
    this.update(kind, namespace, name, (old) => ({
      ...old,
      metadata: {
        ...old.metadata,
        deletionTimestamp: this.timestamp(),
        deletionGracePeriodSeconds: grace,
      },
    }));
  }

  /** Takes the object out at once, whatever it waits for. */
  remove(kind: string, namespace: string | undefined, name: string): void {
    const object = this.get(kind, namespace, name) as KubeObject | undefined;
    if (object === undefined) return;
    this.nextVersion();
    this.drop(object);
    this.publish({ type: 'deleted', object, old: object });
  }

  /** Calls the watcher for every later change of the kind; not for what is there already. */
  watch<K extends string>(kind: K, watcher: Watcher<ObjectOf<K>>): void {
    const list = this.watchers.get(kind) ?? [];
    list.push(watcher as unknown as Watcher<KubeObject>);
    this.watchers.set(kind, list);
  }

  nextUid(): string {
    this.uidCount += 1;
    return `00000000-0000-4000-8000-${this.uidCount.toString(16).padStart(12, '0')}`;
  }

  /** Virtual time as RFC 3339, from an epoch of the twin's own. */
  timestamp(): string {
    return new Date(Math.floor(this.kernel.now() / 1000) * 1000)
      .toISOString()
      .replace('.000Z', 'Z');
  }

  private nextVersion(): string {
    this.version += 1;
    return String(this.version);
  }

  private mapOf(kind: string): Map<string, KubeObject> {
    let map = this.kinds.get(kind);
    if (map === undefined) this.kinds.set(kind, (map = new Map()));
    return map;
  }

  private put(object: KubeObject): void {
    const key = objectKey(object);
    const map = this.mapOf(object.kind);
    const old = map.get(key);
    map.set(key, object);
    this.causes.set(object, this.kernel.causes);
    if (object.kind === 'Pod')
      this.indexPod(key, object as PodObject, old as PodObject | undefined);
  }

  private drop(object: KubeObject): void {
    const key = objectKey(object);
    this.mapOf(object.kind).delete(key);
    this.causes.set(object, this.kernel.causes);
    if (object.kind === 'Pod') this.unindexPod(key, object as PodObject);
  }

  private indexPod(key: string, pod: PodObject, old: PodObject | undefined): void {
    if (old?.spec.nodeName !== undefined && old.spec.nodeName !== pod.spec.nodeName)
      this.unindexPod(key, old);
    if (pod.spec.nodeName !== undefined) indexOf(this.podsByNode, pod.spec.nodeName).set(key, pod);
    for (const owner of pod.metadata.ownerReferences ?? [])
      indexOf(this.podsByOwner, owner.uid).set(key, pod);
  }

  private unindexPod(key: string, pod: PodObject): void {
    if (pod.spec.nodeName !== undefined) this.podsByNode.get(pod.spec.nodeName)?.delete(key);
    for (const owner of pod.metadata.ownerReferences ?? [])
      this.podsByOwner.get(owner.uid)?.delete(key);
  }

  private publish(change: Change): void {
    if ((this.watchers.get(change.object.kind)?.length ?? 0) === 0) return;
    this.undelivered.push({ change, causes: this.kernel.causes });
    if (this.undelivered.length === 1) this.kernel.after(WATCH_LATENCY, () => this.deliver());
  }

  private deliver(): void {
    const batch = this.undelivered;
    this.undelivered = [];
    for (const { change, causes } of batch) {
      for (const watcher of this.watchers.get(change.object.kind) ?? []) {
        this.kernel.because(causes, () => watcher(change));
      }
    }
  }
}

function indexOf(index: Map<string, Map<string, PodObject>>, key: string): Map<string, PodObject> {
  let map = index.get(key);
  if (map === undefined) index.set(key, (map = new Map()));
  return map;
}

function isGone(object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  return (
    deletionTimestamp !== undefined && finalizers.length === 0 && deletionGracePeriodSeconds === 0
  );
}

/** Only a pod that a kubelet may be running waits for it; the kubelet removes it when it is down. */
function defaultGrace(object: KubeObject): number {
  if (object.kind !== 'Pod') return 0;
  const pod = object as PodObject;
  return pod.spec.nodeName === undefined ? 0 : (pod.spec.terminationGracePeriodSeconds ?? 30);
}

function specChanged(old: KubeObject, changed: KubeObject): boolean {
  return (old as { spec?: unknown }).spec !== (changed as { spec?: unknown }).spec;
}
