/**
 * What changed, by kind, for watches that begin in the past: the API server's watch cache. Kept from
 * when somebody first lists a kind to watch it, so that a rehearsal nobody watches pays nothing; what
 * is older, or pushed out, is expired (410).
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { Change, ObjectStore } from './object-store.ts';

/** Changes kept per kind; the real cache grows and shrinks around 75 seconds' worth of them. */
const KEPT_MAX = 10_000;

export type HistoryListener = (change: Change) => void;

interface Kept {
  /** Versions up to this one are not known any more. */
  from: number;
  changes: Change[];
  readonly listeners: Set<HistoryListener>;
}

const histories = new WeakMap<ObjectStore, ChangeHistory>();

export function changeHistoryOf(store: ObjectStore): ChangeHistory {
  let history = histories.get(store);
  if (history === undefined) histories.set(store, (history = new ChangeHistory(store)));
  return history;
}

export class ChangeHistory {
  private readonly store: ObjectStore;
  private readonly kinds = new Map<string, Kept>();

  constructor(store: ObjectStore) {
    this.store = store;
  }

  /** From now on changes of the kind are kept. */
  keep(kind: string): void {
    this.keptOf(kind);
  }

  /**
   * Tells changes after the version, those of the past at once; undefined when they are not all
   * known. Returns the way out.
   */
  since(kind: string, version: number, listener: HistoryListener): (() => void) | undefined {
    const kept = this.keptOf(kind);
    if (version < kept.from) return undefined;
    for (const change of kept.changes) if (versionOf(change.object) > version) listener(change);
    const later: HistoryListener = (change) => {
      // What was written before the list, and is told only now, is in the list already.
      if (versionOf(change.object) > version) listener(change);
    };
    kept.listeners.add(later);
    return () => kept.listeners.delete(later);
  }

  /** Forgets what was kept, as a restarted API server does. */
  forget(): void {
    for (const kept of this.kinds.values()) {
      kept.changes = [];
      kept.from = this.store.resourceVersion;
    }
  }

  private keptOf(kind: string): Kept {
    const known = this.kinds.get(kind);
    if (known !== undefined) return known;
    const kept: Kept = { from: this.store.resourceVersion, changes: [], listeners: new Set() };
    this.kinds.set(kind, kept);
    this.store.watch<string>(kind, (change) => {
      kept.changes.push(change);
      if (kept.changes.length > KEPT_MAX * 2) this.trim(kept);
      for (const listener of kept.listeners) listener(change);
    });
    return kept;
  }

  private trim(kept: Kept): void {
    const dropped = kept.changes.slice(0, -KEPT_MAX);
    kept.changes = kept.changes.slice(-KEPT_MAX);
    const last = dropped.at(-1);
    if (last !== undefined) kept.from = versionOf(last.object);
  }
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}
