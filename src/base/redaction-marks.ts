/**
 * Whether a text in JSON's bytes may hold a secret, told while its bytes are read: every shape that
 * `redactText` takes out has a mark, a short run of bytes that ordinary texts rarely have. A marked
 * text need not hold anything; an unmarked one does not (redaction-marks.test.ts).
 */
const byte = (character: string): number => character.charCodeAt(0);

/** Bytes at which a mark can be told; 2 is a quote, 3 a backslash, 1 the others. */
export const NOTABLE = new Uint8Array(256);
for (const character of '.:=@ UJIK-_') NOTABLE[byte(character)] = 1;
NOTABLE[byte('"')] = 2;
NOTABLE[byte('\\')] = 3;

const DOT = byte('.');
const COLON = byte(':');
const EQUALS = byte('=');
const AT = byte('@');
const SPACE = byte(' ');
const SLASH = byte('/');
const APOSTROPHE = byte("'");
const UPPER_U = byte('U');
const UPPER_J = byte('J');
const UPPER_I = byte('I');
const UPPER_K = byte('K');
const SMALL_A = byte('a');
const SMALL_G = byte('g');
const SMALL_H = byte('h');
const SMALL_O = byte('o');
const SMALL_P = byte('p');
const SMALL_T = byte('t');
const SMALL_X = byte('x');
const ONE = byte('1');
const ZERO = byte('0');

/** Whether the notable byte is a mark within the text that begins at `start`. */
export function isMark(bytes: Buffer, at: number, start: number): boolean {
  switch (bytes[at]) {
    case DOT:
      return beginsBootstrapSecret(bytes, at);
    case COLON:
    case EQUALS:
      return followsSecretWord(bytes, at, start);
    case AT:
      return hasScheme(bytes, at, start);
    case SPACE:
      return ends(bytes, at, 'BEGIN');
    case UPPER_U:
      return ends(bytes, at, 'CR');
    case UPPER_J:
      return ends(bytes, at, 'ey');
    case UPPER_I:
      return ends(bytes, at, 'AK') || ends(bytes, at, 'AS') || ends(bytes, at, 'H4s');
    case UPPER_K:
      return bytes[at + 1] === ONE && bytes[at + 2] === ZERO;
    default:
      return endsForgeMark(bytes, at);
  }
}

function ends(bytes: Buffer, at: number, word: string): boolean {
  for (let back = 1; back <= word.length; back += 1) {
    if (bytes[at - back] !== word.charCodeAt(word.length - back)) return false;
  }
  return true;
}

/** `abcdef.0123456789abcdef`. */
function beginsBootstrapSecret(bytes: Buffer, at: number): boolean {
  for (let next = at + 1; next <= at + 16; next += 1) {
    if (!isSmall(bytes[next] ?? 0)) return false;
  }
  return isSmall(bytes[at - 1] ?? 0);
}

function isSmall(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

/** `gh?_`, `glpat-`, `xox?-`. */
function endsForgeMark(bytes: Buffer, at: number): boolean {
  const before = bytes[at - 2];
  if (before === SMALL_H) return bytes[at - 3] === SMALL_G;
  if (before === SMALL_X) return bytes[at - 3] === SMALL_O;
  return before === SMALL_A && bytes[at - 1] === SMALL_T && bytes[at - 3] === SMALL_P;
}

function hasScheme(bytes: Buffer, at: number, start: number): boolean {
  for (let back = at - 1; back - 2 >= start; back -= 1) {
    if (bytes[back] === SLASH && bytes[back - 1] === SLASH && bytes[back - 2] === COLON)
      return true;
  }
  return false;
}

/** The ends of token, secret, password, passwd, passphrase, api-key, private-key. */
const ENDS = new Set(['ken', 'ret', 'ord', 'swd', 'ase', 'key'].map((end) => codeOf(end)));

function followsSecretWord(bytes: Buffer, at: number, start: number): boolean {
  let end = at - 1;
  while (end >= start && bytes[end] === SPACE) end -= 1;
  if (end >= start && bytes[end] === APOSTROPHE) end -= 1;
  if (end - 2 < start) return false;
  const last = bytes[end] ?? 0;
  // Blanks that ASCII does not know.
  if (last >= 0x80) return true;
  const code = ((bytes[end - 2] ?? 0) << 16) | ((bytes[end - 1] ?? 0) << 8) | last;
  return ENDS.has(code | 0x20_20_20);
}

function codeOf(end: string): number {
  return (end.charCodeAt(0) << 16) | (end.charCodeAt(1) << 8) | end.charCodeAt(2);
}
