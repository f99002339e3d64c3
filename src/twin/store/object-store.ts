/**
 * The API server's storage: objects by kind and key, resourceVersions, deletion with finalizers,
 * and watches that deliver a moment later, in order. Objects are immutable; an update replaces.
 * Every stored version remembers what it happened because of.
 */
import { assert } from '../../base/assert.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import {
  controllerOf,
  type KubeObject,
  objectKey,
  type PodObject,
} from '../../model/kubernetes.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectOf } from './kinds.ts';
import { ALL_PARTS, changedParts } from './pod-changes.ts';
import { PodIndex, type PodTally } from './pod-index.ts';

export interface Change<T extends KubeObject = KubeObject> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** The new version; for `deleted`, the last one. */
  readonly object: T;
  readonly old?: T;
}

export type Watcher<T extends KubeObject> = (change: Change<T>) => void;

/** Which changes of pods a watcher is told of: those it would do nothing about are not delivered. */
export interface PodInterest {
  /** Parts (`POD_PART`): of a pod that was modified it is told only when one of them changed. */
  readonly parts: number;
  /** Only pods whose controller is of this kind. */
  readonly owner?: string | undefined;
}

interface Watch extends PodInterest {
  readonly watcher: Watcher<KubeObject>;
}

/** How long after a write its watchers hear of it (milliseconds). */
export const WATCH_LATENCY = 3;

/** An object's place: indices hold it while versions come and go, so that an update touches none of them. */
interface Entry<T extends KubeObject = KubeObject> {
  object: T;
  /** What the present version happened because of. */
  causes: readonly OccurrenceId[];
}

interface Kind {
  /** By namespace (empty for what has none), then by name: no key is put together for a look. */
  readonly byNamespace: Map<string, Map<string, Entry>>;
  /** In order of creation. */
  readonly entries: Set<Entry>;
}

export class ObjectStore {
  private readonly kinds = new Map<string, Kind>();
  private readonly watchers = new Map<string, Watch[]>();
  private readonly pods = new PodIndex();
  /** Causes of what is gone, for those who still hold its last version. */
  private readonly causesOfGone = new WeakMap<KubeObject, readonly OccurrenceId[]>();
  private undelivered: { change: Change; causes: readonly OccurrenceId[] }[] = [];
  private version = 0;
  private uidCount = 0;
  private second = -1;
  private secondText = '';
  /** Where was looked last; the next look is often for the same kind and namespace. */
  private near: {
    readonly kind: string;
    readonly namespace: string;
    readonly names: Map<string, Entry>;
  } = { kind: '', namespace: '', names: new Map() };
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
    return this.entryOf(kind, namespace, name)?.object as ObjectOf<K> | undefined;
  }

  /** In order of creation. */
  list<K extends string>(kind: K, namespace?: string): ObjectOf<K>[] {
    const all = this.kinds.get(kind);
    if (all === undefined) return [];
    const entries =
      namespace === undefined ? all.entries : all.byNamespace.get(namespace)?.values();
    // The kind says the shape.
    return objectsOf(entries) as ObjectOf<K>[];
  }

  /** Kinds of which there are, or were, objects. */
  kindNames(): readonly string[] {
    return [...this.kinds.keys()];
  }

  /** Any object of the kind: the oldest. */
  first(kind: string): KubeObject | undefined {
    const [entry] = this.kinds.get(kind)?.entries ?? [];
    return entry?.object;
  }

  /** The same list until a pod there changes. */
  podsOn(node: string): readonly PodObject[] {
    return this.pods.on(node);
  }

  podsOf(ownerUid: string): PodObject[] {
    return objectsOf(this.pods.of(ownerUid));
  }

  /** How many pods the controller has that count, and how many of these are ready. */
  tallyOf(ownerUid: string): PodTally {
    return this.pods.tally(ownerUid);
  }

  /** What the present version of the object happened because of. */
  causesOf(object: KubeObject): readonly OccurrenceId[] {
    const { kind, metadata } = object;
    const entry = this.entryOf(kind, metadata.namespace, metadata.name);
    if (entry !== undefined && entry.object.metadata.uid === metadata.uid) return entry.causes;
    return this.causesOfGone.get(object) ?? [];
  }

  /** Stores a new object; gives it uid, resourceVersion, generation and creation time. */
  create<T extends KubeObject>(object: T): T {
    const { kind, metadata } = object;
    assert(
      this.entryOf(kind, metadata.namespace, metadata.name) === undefined,
      `${kind} ${objectKey(object)} exists already`,
    );
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
    this.add(stored);
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
    const entry = this.entryOf(kind, namespace, name);
    if (entry === undefined) return undefined;
    const old = entry.object as ObjectOf<K>; // the kind says the shape
    const changed = change(old);
    if (changed === old) return old;
    // One spread per literal: V8 clones the first as a whole, and copies others key by key.
    const metadata = { ...changed.metadata, resourceVersion: this.nextVersion() };
    const stored = { ...changed, metadata };
    if (specChanged(old, changed))
      stored.metadata = { ...metadata, generation: (old.metadata.generation ?? 1) + 1 };
    if (isGone(stored)) {
      this.drop(entry, stored);
      this.publish({ type: 'deleted', object: stored, old });
      return stored;
    }
    this.replace(entry, stored);
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
    const grace = isThrough(object) ? 0 : (gracePeriodSeconds ?? defaultGrace(object));
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

  /** As a kubelet that has ended a pod deletes it: nothing waits for its grace, its finalizers do. */
  deleteNow(kind: string, namespace: string | undefined, name: string): void {
    const object = this.get(kind, namespace, name);
    if ((object?.metadata.finalizers ?? []).length === 0) {
      this.remove(kind, namespace, name);
      return;
    }
    this.update<string>(kind, namespace, name, (old) => {
      const { deletionTimestamp = this.timestamp(), deletionGracePeriodSeconds } = old.metadata;
      if (deletionGracePeriodSeconds === 0 && old.metadata.deletionTimestamp !== undefined)
        return old;
      const metadata = { ...old.metadata, deletionTimestamp, deletionGracePeriodSeconds: 0 };
      return { ...old, metadata };
    });
  }

  /** Takes the object out at once, whatever it waits for. */
  remove(kind: string, namespace: string | undefined, name: string): void {
    const entry = this.entryOf(kind, namespace, name);
    if (entry === undefined) return;
    const old = entry.object;
    // The deletion is a version of its own: a watch that resumes must know whether it has seen it.
    const object = { ...old, metadata: { ...old.metadata, resourceVersion: this.nextVersion() } };
    this.drop(entry, object);
    this.causesOfGone.set(old, this.kernel.causes);
    this.publish({ type: 'deleted', object, old });
  }

  /** Calls the watcher for every later change of the kind; not for what is there already. Returns the way out. */
  watch<K extends string>(kind: K, watcher: Watcher<ObjectOf<K>>): () => void {
    // The kind says the shape.
    return this.addWatch(kind, watcher as unknown as Watcher<KubeObject>, { parts: ALL_PARTS });
  }

  /** As `watch`, of the pods of interest. */
  watchPods(interest: PodInterest, watcher: Watcher<PodObject>): () => void {
    // Whoever watches pods is told of pods.
    return this.addWatch('Pod', watcher as unknown as Watcher<KubeObject>, interest);
  }

  private addWatch(
    kind: string,
    watcher: Watcher<KubeObject>,
    { parts, owner }: PodInterest,
  ): () => void {
    const added = { watcher, parts, owner };
    this.watchers.set(kind, [...(this.watchers.get(kind) ?? []), added]);
    return () => {
      const others = (this.watchers.get(kind) ?? []).filter((watch) => watch !== added);
      this.watchers.set(kind, others);
    };
  }

  nextUid(): string {
    this.uidCount += 1;
    return `00000000-0000-4000-8000-${this.uidCount.toString(16).padStart(12, '0')}`;
  }

  /** Virtual time as RFC 3339, from the kernel's epoch on. */
  timestamp(): string {
    const second = Math.floor((this.kernel.epochMs + this.kernel.now()) / 1000);
    if (second !== this.second) {
      this.second = second;
      this.secondText = new Date(second * 1000).toISOString().replace('.000Z', 'Z');
    }
    return this.secondText;
  }

  private nextVersion(): string {
    this.version += 1;
    return String(this.version);
  }

  private entryOf(kind: string, namespace = '', name: string): Entry | undefined {
    const { near } = this;
    if (near.kind === kind && near.namespace === namespace) return near.names.get(name);
    const names = this.kinds.get(kind)?.byNamespace.get(namespace);
    if (names === undefined) return undefined;
    this.near = { kind, namespace, names };
    return names.get(name);
  }

  private add(object: KubeObject): void {
    const { namespace = '', name } = object.metadata;
    let all = this.kinds.get(object.kind);
    if (all === undefined) {
      this.kinds.set(object.kind, (all = { byNamespace: new Map(), entries: new Set() }));
    }
    let names = all.byNamespace.get(namespace);
    if (names === undefined) all.byNamespace.set(namespace, (names = new Map()));
    const entry = { object, causes: this.kernel.causes };
    names.set(name, entry);
    all.entries.add(entry);
    if (isPodEntry(entry)) this.pods.add(entry);
  }

  private replace(entry: Entry, object: KubeObject): void {
    // The kind of an object never changes.
    if (isPodEntry(entry)) this.pods.replace(entry, object as PodObject);
    else entry.object = object;
    entry.causes = this.kernel.causes;
  }

  private drop(entry: Entry, last: KubeObject): void {
    const { namespace = '', name } = last.metadata;
    const all = this.kinds.get(last.kind);
    all?.entries.delete(entry);
    all?.byNamespace.get(namespace)?.delete(name);
    if (isPodEntry(entry)) this.pods.remove(entry);
    this.causesOfGone.set(last, this.kernel.causes);
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
      const parts = partsOf(change);
      const owner = controllerOf(change.object)?.kind;
      for (const watch of this.watchers.get(change.object.kind) ?? []) {
        if ((watch.parts & parts) === 0 && watch.parts !== ALL_PARTS) continue;
        if (watch.owner !== undefined && watch.owner !== owner) continue;
        this.kernel.tell(causes, watch.watcher, change);
      }
    }
  }
}

/** The parts of a pod that the change is about; all of what is added or gone, and of other kinds. */
function partsOf({ type, object, old }: Change): number {
  if (type !== 'modified' || old === undefined || object.kind !== 'Pod') return ALL_PARTS;
  return changedParts(object as PodObject, old as PodObject); // the kind says so
}

function objectsOf<T extends KubeObject>(
  entries: Iterable<{ readonly object: T }> | undefined,
): T[] {
  const objects: T[] = [];
  if (entries !== undefined) for (const { object } of entries) objects.push(object);
  return objects;
}

function isPodEntry(entry: Entry): entry is Entry<PodObject> {
  return entry.object.kind === 'Pod';
}

function isGone(object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [], deletionGracePeriodSeconds = 0 } = object.metadata;
  return (
    deletionTimestamp !== undefined && finalizers.length === 0 && deletionGracePeriodSeconds === 0
  );
}

/** A pod that has ended is not waited for (KK pkg/registry/core/pod/strategy.go CheckGracefulDelete). */
function isThrough(object: KubeObject): boolean {
  if (object.kind !== 'Pod') return false;
  const { phase } = (object as PodObject).status; // the kind says so
  return phase === 'Succeeded' || phase === 'Failed';
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
