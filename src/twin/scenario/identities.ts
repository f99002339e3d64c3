/** Names and identifiers of generated objects: made from what they name, so same spec, same bytes. */

/** A UID from any text; the last group keeps it apart from those the store gives out. */
export function uidOf(text: string): string {
  const parts = [1, 2, 3, 4].map((salt) => hash(text, salt).toString(16).padStart(8, '0'));
  const [a = '', b = '', c = '', d = ''] = parts;
  return `${a}-${b.slice(0, 4)}-4${b.slice(4, 7)}-9${c.slice(0, 3)}-${c.slice(3)}${d.slice(0, 7)}`;
}

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Like the suffix of a ReplicaSet (`568c7f9b5b`) or a pod (`x7k2q`). */
export function suffixOf(text: string, length: number): string {
  let state = hash(text, 9);
  let suffix = '';
  for (let index = 0; index < length; index += 1) {
    state = hash(text, 17 + index + state);
    suffix += LETTERS[state % LETTERS.length] ?? 'x';
  }
  return suffix;
}

/** A container id or digest of 64 hex digits. */
export function hexOf(text: string): string {
  let hex = '';
  for (let salt = 0; hex.length < 64; salt += 1)
    hex += hash(text, 100 + salt)
      .toString(16)
      .padStart(8, '0');
  return hex;
}

function hash(text: string, salt: number): number {
  let state = (0x811c9dc5 ^ Math.imul(salt, 0x9e3779b1)) >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  state = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  return (state ^ (state >>> 15)) >>> 0;
}
