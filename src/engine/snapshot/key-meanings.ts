/** What keys of API objects mean to a snapshot, told by their bytes: there are few, and they are many. */
import { isSecretKey } from '../../base/redaction.ts';

export type KeyMeaning =
  | 'plain'
  | 'secret'
  | 'env'
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
  ['name', 'name'],
  ['value', 'value'],
]);

interface Known {
  readonly bytes: Uint8Array;
  readonly meaning: KeyMeaning;
}

/** A power of two. */
const PLACES = 4_096;
const known: (Known | undefined)[] = Array.from({ length: PLACES });

/** Of the key between the two places; the hash is any number that equal keys have in common. */
export function meaningOf(bytes: Buffer, start: number, end: number, hash: number): KeyMeaning {
  const place = hash & (PLACES - 1);
  const found = known[place];
  if (found !== undefined && isSame(found.bytes, bytes, start, end)) return found.meaning;
  const text: unknown = JSON.parse(`"${bytes.toString('utf8', start, end)}"`);
  const key = String(text);
  const meaning = MEANINGS.get(key) ?? (isSecretKey(key) ? 'secret' : 'plain');
  // A copy: the bytes of a whole page must not stay for it.
  known[place] = { bytes: Uint8Array.from(bytes.subarray(start, end)), meaning };
  return meaning;
}

function isSame(known: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at += 1) {
    if (known[at] !== bytes[start + at]) return false;
  }
  return true;
}
