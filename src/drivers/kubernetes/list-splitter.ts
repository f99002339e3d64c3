/**
 * A list read object by object: what a server sends that does not know `limit` (aggregated APIs,
 * custom ones) may not fit into memory at once. Strings and brackets are followed byte by byte, and
 * each element of the top-level `items` is parsed by itself as soon as it is whole.
 */
import { mapOf } from '../../base/json-tree.ts';

export interface ListHead {
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
  readonly remaining: number | undefined;
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = new Set([0x7b, 0x5b]);
const CLOSE = new Set([0x7d, 0x5d]);
const ITEMS = /"items"\s*:\s*$/;

export class ListSplitter {
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** Depth of the elements of `items` while inside it; 0 outside. */
  private itemDepth = 0;
  /** Everything outside of `items`: a small object once it is whole. */
  private frame = '';
  private pending: Buffer[] = [];

  /** The objects that the piece completes. */
  push(piece: Buffer): unknown[] {
    const items: unknown[] = [];
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === BACKSLASH) this.escaped = true;
        else if (byte === QUOTE) this.inString = false;
      } else if (byte === QUOTE) this.inString = true;
      else if (OPEN.has(byte)) start = this.open(piece, start, at);
      else if (CLOSE.has(byte)) start = this.close(piece, start, at, items);
    }
    this.keep(piece.subarray(start));
    return items;
  }

  /** Throws a SyntaxError when the list is not whole. */
  end(): ListHead {
    return headOf(JSON.parse(this.frame + this.taken()));
  }

  private open(piece: Buffer, start: number, at: number): number {
    this.depth += 1;
    if (this.itemDepth === 0 && this.depth === 2 && piece[at] === 0x5b) {
      const before = this.frame + this.taken() + piece.toString('utf8', start, at);
      if (!ITEMS.test(before)) {
        this.frame = before;
        return at;
      }
      this.itemDepth = 3;
      this.frame = `${before}[`;
      return at + 1;
    }
    if (this.depth !== this.itemDepth) return start;
    // Commas and blanks between elements are nobody's.
    this.pending = [];
    return at;
  }

  private close(piece: Buffer, start: number, at: number, items: unknown[]): number {
    this.depth -= 1;
    if (this.itemDepth === 0) return start;
    if (this.depth === this.itemDepth - 1) {
      this.keep(piece.subarray(start, at + 1));
      items.push(JSON.parse(this.taken()));
      return at + 1;
    }
    if (this.depth !== this.itemDepth - 2) return start;
    this.itemDepth = 0;
    this.pending = [];
    return at;
  }

  private keep(rest: Buffer): void {
    if (rest.length > 0) this.pending.push(rest);
  }

  private taken(): string {
    const text = Buffer.concat(this.pending).toString('utf8');
    this.pending = [];
    return text;
  }
}

export function headOf(list: unknown): ListHead {
  const { apiVersion, kind, metadata } = mapOf(list);
  const { resourceVersion, continue: token, remainingItemCount } = mapOf(metadata);
  return {
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
    continueToken: typeof token === 'string' && token !== '' ? token : undefined,
    remaining: typeof remainingItemCount === 'number' ? remainingItemCount : undefined,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : undefined,
    kind: typeof kind === 'string' ? kind : undefined,
  };
}
