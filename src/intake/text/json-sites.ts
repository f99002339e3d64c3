/**
 * Places in objects of one form (`spec.containers[].image`), with the values that came at them: what of
 * very many alike objects is worth to be looked for, and where it is found again.
 */

/** Values looked at before it is decided whether equal ones are looked for. */
const TRIED = 400;
/** Texts that are remembered at one place. */
const KNOWN_MAX = 20_000;
export const KNOWN_LENGTH_MAX = 4_000;
/** Values that came last at one place and are compared first. */
const RECENT = 3;
/** Misses in a row after which they are not compared for a while, and for how many values. */
const MISSES_MAX = 16;
const REST = 2_000;

interface Recent {
  readonly text: string;
  readonly value: unknown;
}

/**
 * What came last at a place: objects of one workload follow each other in a list. Values whose text
 * says itself where it ends.
 */
class RecentValues {
  private readonly values: Recent[] = [];
  private next = 0;
  private misses = 0;
  private resting = 0;

  find(text: string, at: number): Recent | undefined {
    if (this.resting > 0) {
      this.resting -= 1;
      return undefined;
    }
    for (const recent of this.values) {
      if (text.slice(at, at + recent.text.length) !== recent.text) continue;
      this.misses = 0;
      return recent;
    }
    this.misses += 1;
    if (this.misses > MISSES_MAX) {
      this.misses = 0;
      this.resting = REST;
    }
    return undefined;
  }

  add(text: string, value: unknown): void {
    if (this.resting > 0 || text.length > KNOWN_LENGTH_MAX) return;
    this.values[this.next] = { text, value };
    this.next = (this.next + 1) % RECENT;
  }
}

/** A place in objects of one form: `spec.containers[].image`. */
export class Site {
  readonly members: Site[] = [];
  readonly key: string;
  /** The key as it stands in the text, with its colon. */
  readonly quoted: string;
  /** Whether equal values are looked for here. */
  shares: boolean;
  /** None where every value is another: a list, and its items. */
  readonly recent: RecentValues | undefined;
  readonly isUnread: boolean;
  private element: Site | undefined;
  /** Marks of the texts that were seen once: most are never seen again, and not worth keeping. */
  private readonly seen = new Set<number>();
  private readonly known = new Map<string, unknown>();
  private tries = 0;
  private hits = 0;

  constructor(key: string, { shares = true, isUnread = false } = {}) {
    this.key = key;
    this.quoted = `${JSON.stringify(key)}:`;
    this.shares = shares;
    this.isUnread = isUnread;
    this.recent = shares ? new RecentValues() : undefined;
  }

  get elements(): Site {
    this.element ??= new Site(this.key, { shares: this.recent !== undefined });
    return this.element;
  }

  /** Whether a text with this mark came before. */
  isSeen(mark: number): boolean {
    this.tries += 1;
    if (this.seen.has(mark)) return true;
    if (this.seen.size >= KNOWN_MAX) this.seen.clear();
    this.seen.add(mark);
    if (this.tries >= TRIED && this.hits * 2 < this.tries) {
      this.shares = false;
      this.seen.clear();
      this.known.clear();
    }
    return false;
  }

  find(text: string): unknown {
    const found = this.known.get(text);
    if (found !== undefined) this.hits += 1;
    return found;
  }

  remember(text: string, value: unknown): void {
    if (this.known.size >= KNOWN_MAX) this.known.clear();
    this.known.set(text, value);
  }
}
