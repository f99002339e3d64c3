/**
 * What happened to each kind, for watches and for lists of an earlier state: the store's changes in
 * their order, each with its resourceVersion, as many as are kept. What is older is compacted, and
 * who asks for it hears `410 Gone` (KK staging/src/k8s.io/apiserver/pkg/storage/cacher). Kept from
 * when somebody first asks for a kind, so that a rehearsal nobody watches pays nothing.
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { Change, ObjectStore } from './object-store.ts';

export interface HistoryEntry {
  readonly version: number;
  readonly type: Change['type'];
  readonly object: KubeObject;
  readonly old: KubeObject | undefined;
}

export class KindHistory {
  private entries: HistoryEntry[] = [];
  /** How many entries were dropped: the position of the first that is kept. */
  private dropped = 0;
  /** Versions up to here are not told of any more. */
  private compactedTo: number;
  private readonly listeners = new Set<() => void>();
  private readonly limit: number;

  constructor(from: number, limit: number) {
    this.compactedTo = from;
    this.limit = limit;
  }

  /** The oldest resourceVersion a watch may begin with. */
  get oldest(): number {
    return this.compactedTo;
  }

  /** The version of the newest entry. */
  get newest(): number {
    return this.entries.at(-1)?.version ?? this.compactedTo;
  }

  /** The position after the newest entry. */
  get end(): number {
    return this.dropped + this.entries.length;
  }

  add(entry: HistoryEntry): void {
    if (entry.version <= this.compactedTo) return;
    this.entries.push(entry);
    // By halves, so that dropping costs nothing over time.
    if (this.entries.length > this.limit) this.drop(Math.floor(this.limit / 2));
    for (const listener of this.listeners) listener();
  }

  /** Position of the first entry after the version; undefined when it is compacted. */
  positionAfter(version: number): number | undefined {
    if (version < this.compactedTo) return undefined;
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return this.dropped + low;
  }

  /** Undefined when there is none yet, or none any more: `isLost` tells. */
  at(position: number): HistoryEntry | undefined {
    return this.entries[position - this.dropped];
  }

  isLost(position: number): boolean {
    return position < this.dropped;
  }

  /** Forgets everything, as etcd's compaction does. */
  compact(version: number): void {
    this.drop(this.entries.filter((entry) => entry.version <= version).length);
    this.compactedTo = Math.max(this.compactedTo, version);
    for (const listener of this.listeners) listener();
  }

  /**
   * Tells entries after the version, those of the past at once; undefined when they are not all
   * known. Returns the way out.
   */
  since(version: number, hear: (entry: HistoryEntry) => void): (() => void) | undefined {
    let position = this.positionAfter(version);
    if (position === undefined) return undefined;
    const tell = (): void => {
      for (let from = Math.max(position ?? 0, this.dropped); from < this.end; from += 1) {
        position = from + 1;
        const entry = this.at(from);
        // What was written before the list, and is told only now, is in the list already.
        if (entry !== undefined && entry.version > version) hear(entry);
      }
    };
    tell();
    return this.listen(tell);
  }

  /** Called after each entry; returns the way out. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private drop(count: number): void {
    if (count === 0) return;
    this.compactedTo = Math.max(this.compactedTo, this.entries[count - 1]?.version ?? 0);
    this.entries = this.entries.slice(count);
    this.dropped += count;
  }
}

/** Changes kept per kind; the real cache grows and shrinks around 75 seconds' worth of them. */
const LIMIT = 20_000;

const histories = new WeakMap<ObjectStore, ChangeHistory>();

/** One for all who look at the store in memory. */
export function changeHistoryOf(store: ObjectStore): ChangeHistory {
  let history = histories.get(store);
  if (history === undefined) histories.set(store, (history = new ChangeHistory(store)));
  return history;
}

export class ChangeHistory {
  private readonly store: ObjectStore;
  private readonly kinds = new Map<string, KindHistory>();
  private readonly limit: number;

  /** Follows these kinds at once, and others from when they are first asked for. */
  constructor(store: ObjectStore, kinds: readonly string[] = [], limit = LIMIT) {
    this.store = store;
    this.limit = limit;
    for (const kind of kinds) this.of(kind);
  }

  of(kind: string): KindHistory {
    let history = this.kinds.get(kind);
    if (history !== undefined) return history;
    this.kinds.set(kind, (history = new KindHistory(this.store.resourceVersion, this.limit)));
    const followed = history;
    this.store.watch<string>(kind, ({ type, object, old }) =>
      followed.add({ version: versionOf(object), type, object, old }),
    );
    return history;
  }

  /** A kind that is kept beside the store, with versions of its own. */
  keep(kind: string, from: number): KindHistory {
    const history = new KindHistory(from, this.limit);
    this.kinds.set(kind, history);
    return history;
  }

  /** Forgets what was kept, as a restarted API server does. */
  compact(): void {
    const { resourceVersion } = this.store;
    for (const history of this.kinds.values()) {
      history.compact(Math.max(history.newest, resourceVersion));
    }
  }
}

export function versionOf({ metadata }: KubeObject): number {
  return Number(metadata.resourceVersion ?? 0);
}
