/** What keys of API objects mean to a snapshot, told by their bytes: there are few, and they are many. */
import { BACKSLASH, QUOTE } from '../../base/json-cursor.ts';
import { isListNamedByKey, isSecretKey } from '../../base/redaction.ts';
import { RememberedValues } from './remembered-values.ts';

export type KeyMeaning =
  | 'plain'
  | 'secret'
  | 'env'
  /** `tolerations` and its like: in elements of the list, `key` is a name. */
  | 'named-by-key'
  | 'key'
  | 'metadata'
  | 'annotations'
  | 'managed-fields'
  | 'last-applied'
  /** `apiVersion` and `kind`: each object that is written begins with them. */
  | 'type'
  | 'name'
  | 'value';

const MEANINGS = new Map<string, KeyMeaning>([
  ['env', 'env'],
  ['metadata', 'metadata'],
  ['annotations', 'annotations'],
  ['managedFields', 'managed-fields'],
  ['kubectl.kubernetes.io/last-applied-configuration', 'last-applied'],
  ['apiVersion', 'type'],
  ['kind', 'type'],
  ['key', 'key'],
  ['name', 'name'],
  ['value', 'value'],
]);

export interface KnownKey {
  readonly bytes: Uint8Array;
  readonly meaning: KeyMeaning;
  /** Of this key, and of the elements where it is a list. */
  readonly values: RememberedValues;
  readonly elements: RememberedValues;
  /** The key that came after it the last time: objects of one kind are alike. */
  next: KnownKey | undefined;
}

const VALUES = 3;
const ELEMENTS = 8;

/** A power of two. */
const PLACES = 4_096;

/** Where a key ends, and what it means, in the texts of one kind. */
export class KeyReader {
  /** After the closing quote of the key that was read last. */
  end = 0;
  private readonly known: (KnownKey | undefined)[] = Array.from({ length: PLACES });
  private last = knownKey(new Uint8Array(), 'plain');

  /** The key that begins after the quote before `start`; undefined where the text ends in it. */
  read(bytes: Buffer, start: number): KnownKey | undefined {
    const { next } = this.last;
    const found =
      next !== undefined && isAt(next.bytes, bytes, start) ? next : this.lookUp(bytes, start);
    if (found === undefined) return undefined;
    this.last.next = found;
    this.last = found;
    this.end = start + found.bytes.length + 1;
    return found;
  }

  private lookUp(bytes: Buffer, start: number): KnownKey | undefined {
    let end = start;
    let hash = 0;
    for (let byte = bytes[end]; byte !== QUOTE; byte = bytes[end]) {
      if (byte === undefined) return undefined;
      hash = (Math.imul(hash, 31) + byte) | 0;
      end += byte === BACKSLASH ? 2 : 1;
    }
    const place = hash & (PLACES - 1);
    const found = this.known[place];
    if (
      found !== undefined &&
      found.bytes.length === end - start &&
      isAt(found.bytes, bytes, start)
    )
      return found;
    const text: unknown = JSON.parse(`"${bytes.toString('utf8', start, end)}"`);
    // A copy: the bytes of a whole page must not stay for it.
    const copy = Uint8Array.from(bytes.subarray(start, end));
    return (this.known[place] = knownKey(copy, meaningOf(String(text))));
  }
}

function knownKey(bytes: Uint8Array, meaning: KeyMeaning): KnownKey {
  const values = new RememberedValues(VALUES);
  return { bytes, meaning, values, elements: new RememberedValues(ELEMENTS), next: undefined };
}

function meaningOf(key: string): KeyMeaning {
  if (isListNamedByKey(key)) return 'named-by-key';
  return MEANINGS.get(key) ?? (isSecretKey(key) ? 'secret' : 'plain');
}

/** Whether the key stands there, and ends there. */
function isAt(key: Uint8Array, bytes: Buffer, start: number): boolean {
  const { length } = key;
  for (let at = 0; at < length; at += 1) {
    if (key[at] !== bytes[start + at]) return false;
  }
  return bytes[start + length] === QUOTE;
}
