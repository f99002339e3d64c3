/**
 * A table that many readers share, each seeing it as of a revision: an agent that runs sees it live,
 * what a stopped agent left in a kernel stays as it was. A reader's copy is one number, so a thousand
 * nodes cost no more than one.
 */

/** Undefined reads the table as it is now. */
export type View = number | undefined;

/** The one count that all tables of a cluster share, so that one number is a view of all of them. */
export class Revisions {
  private current = 0;
  private newestFrozen = -1;

  next(): number {
    this.current += 1;
    return this.current;
  }

  /** A view that stays: entries that were valid now are kept for it. */
  freeze(): number {
    this.newestFrozen = this.current;
    return this.current;
  }

  /** Whether a frozen view may still read an entry that came at this revision. */
  isHeld(revision: number): boolean {
    return this.newestFrozen >= revision;
  }
}

interface Entry<V> {
  readonly revision: number;
  readonly value: V | undefined;
}

export class RevisionTable<V> {
  private readonly histories = new Map<string, Entry<V>[]>();
  private readonly revisions: Revisions;

  constructor(revisions: Revisions) {
    this.revisions = revisions;
  }

  /** Undefined takes the entry out. */
  set(key: string, value: V | undefined): void {
    const entry = { revision: this.revisions.next(), value };
    const history = this.histories.get(key);
    const last = history?.at(-1);
    if (history === undefined || last === undefined) this.histories.set(key, [entry]);
    else if (this.revisions.isHeld(last.revision)) history.push(entry);
    else history[history.length - 1] = entry;
  }

  get(key: string, view: View): V | undefined {
    const history = this.histories.get(key);
    if (history === undefined) return undefined;
    if (view === undefined) return history.at(-1)?.value;
    for (let index = history.length - 1; index >= 0; index -= 1) {
      const entry = history[index];
      if (entry !== undefined && entry.revision <= view) return entry.value;
    }
    return undefined;
  }

  *keys(): Iterable<string> {
    for (const [key, history] of this.histories) {
      if (history.at(-1)?.value !== undefined) yield key;
    }
  }
}
