/**
 * JSON text: parsed by the runtime, since a snapshot may have hundreds of megabytes, and scanned
 * here only for what the runtime does not say: where exactly an error is, where one of several
 * values ends, and where the value at a path stands.
 */
import { badInput } from '../../base/errors.ts';
import type { RegaugeError } from '../../base/errors.ts';
import { placesIn } from './places.ts';
import { parseShared, type Unread } from './shared-json.ts';

export interface JsonPart {
  readonly value: unknown;
  /** Offsets of the value's text. */
  readonly start: number;
  readonly end: number;
}

/**
 * The values of a text: one, or several in a row as `kubectl cluster-info dump` and
 * `talosctl get … -o json` print them, with container logs between them.
 */
export function parseJsonTexts(text: string, file: string): readonly JsonPart[] {
  try {
    const value =
      (text.length >= SHARED_LENGTH ? parseShared(text, UNREAD) : undefined) ?? parsed(text);
    return [{ value, start: skipSpace(text, 0), end: text.length }];
  } catch {
    return parseSequence(text, file);
  }
}

/** From this length on equal parts are made one value: a snapshot's objects are alike. */
const SHARED_LENGTH = 4 * 2 ** 20;

/** Of each container of each pod, and told by none but the runtime: nothing reads them. */
const RUNTIME_IDS = new Set(['containerID', 'imageID']);
const UNREAD: Unread = new Map([
  ['containerStatuses', RUNTIME_IDS],
  ['initContainerStatuses', RUNTIME_IDS],
]);

function parsed(text: string): unknown {
  return JSON.parse(text);
}

function parseSequence(text: string, file: string): readonly JsonPart[] {
  const parts: JsonPart[] = [];
  let start = skipLogs(text, skipSpace(text, 0));
  while (start < text.length) {
    const end = endOfValue(text, start);
    const slice = text.slice(start, end);
    try {
      parts.push({ value: JSON.parse(slice) as unknown, start, end });
    } catch {
      throw jsonError(text, start, file);
    }
    start = skipLogs(text, skipSpace(text, end));
  }
  if (parts.length === 0) throw jsonError(text, 0, file);
  return parts;
}

/** `==== START logs …` to `==== END logs …`, as cluster-info dump prints between documents. */
function skipLogs(text: string, from: number): number {
  let at = from;
  while (text.startsWith('==== START logs', at)) {
    const end = text.indexOf('\n==== END logs', at);
    const lineEnd = end < 0 ? -1 : text.indexOf('\n', end + 1);
    at = lineEnd < 0 ? text.length : skipSpace(text, lineEnd);
  }
  return at;
}

function jsonError(text: string, start: number, file: string): RegaugeError {
  const { offset, message } = findError(text, start) ?? { offset: start, message: 'not JSON' };
  return badInput(`broken JSON: ${message}`, { file, ...placesIn(text)(offset) });
}

const SPACE = new Set([9, 10, 13, 32]);

function skipSpace(text: string, from: number): number {
  let at = from;
  while (SPACE.has(text.charCodeAt(at))) at += 1;
  return at;
}

/** The end of the value that starts here; braces are counted outside of strings, nothing is checked. */
export function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      at += 1;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
      at += 1;
    } else if (depth === 0) at = endOfWord(text, at);
    else at += 1;
    if (depth <= 0) return at;
  }
  return text.length;
}

/** The offset after the closing quote; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at += 1;
    else if (code === 0x22) return at + 1;
  }
  return text.length;
}

function endOfWord(text: string, start: number): number {
  const end = /[\s,:[\]{}"]/g;
  end.lastIndex = start + 1;
  return end.exec(text)?.index ?? text.length;
}

/** The offset of the value at a path below the value that starts at `start`. */
export function locateJson(
  text: string,
  start: number,
  path: readonly (string | number)[],
): number | undefined {
  let at: number | undefined = skipSpace(text, start);
  for (const part of path) {
    at = typeof part === 'number' ? locateItem(text, at, part) : locateMember(text, at, part);
    if (at === undefined) return undefined;
  }
  return at;
}

function locateItem(text: string, start: number, index: number): number | undefined {
  if (text[start] !== '[') return undefined;
  let at = skipSpace(text, start + 1);
  for (let item = 0; item < index; item += 1) {
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] !== ',') return undefined;
    at = skipSpace(text, at + 1);
  }
  return at;
}

/** The offsets of all items of the list at a path, in one pass. */
export function itemStarts(
  text: string,
  start: number,
  path: readonly (string | number)[],
): readonly number[] {
  const list = locateJson(text, start, path);
  if (list === undefined || text[list] !== '[') return [];
  const starts: number[] = [];
  let at = skipSpace(text, list + 1);
  while (at < text.length && text[at] !== ']') {
    starts.push(at);
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] !== ',') break;
    at = skipSpace(text, at + 1);
  }
  return starts;
}

function locateMember(text: string, start: number, name: string): number | undefined {
  if (text[start] !== '{') return undefined;
  let at = skipSpace(text, start + 1);
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1);
    if (JSON.parse(text.slice(at, keyEnd)) === name) return value;
    at = skipSpace(text, endOfValue(text, value));
    if (text[at] !== ',') return undefined;
    at = skipSpace(text, at + 1);
  }
  return undefined;
}

export interface DuplicateKey {
  readonly key: string;
  readonly offset: number;
  readonly firstOffset: number;
}

/** The first key that an object has twice, in JSON that parses: `JSON.parse` keeps the last silently. */
export function findDuplicateKey(
  text: string,
  start: number,
  end: number,
): DuplicateKey | undefined {
  const open: (Map<string, number> | undefined)[] = [];
  let at = start;
  while (at < end) {
    const char = text[at];
    if (char === '{') open.push(new Map());
    else if (char === '[') open.push(undefined);
    else if (char === '}' || char === ']') open.pop();
    if (char !== '"') {
      at += 1;
      continue;
    }
    const after = endOfString(text, at);
    const keys = open.at(-1);
    if (keys !== undefined && text[skipSpace(text, after)] === ':') {
      const key = text.slice(at + 1, after - 1);
      const firstOffset = keys.get(key);
      if (firstOffset !== undefined) return { key, offset: at, firstOffset };
      keys.set(key, at);
    }
    at = after;
  }
  return undefined;
}

interface JsonFault {
  readonly offset: number;
  readonly message: string;
}

const LITERAL = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

/** The first place where the text stops being JSON (RFC 8259). Iterative: depth is the file's choice. */
export function findError(text: string, start: number): JsonFault | undefined {
  const open: ('{' | '[')[] = [];
  let at = skipSpace(text, start);
  for (;;) {
    // Here a value is due.
    const char = text[at];
    if (char === '{' || char === '[') {
      const inside = skipSpace(text, at + 1);
      const closes = text[inside] === (char === '{' ? '}' : ']');
      if (!closes) {
        open.push(char);
        const key = char === '{' ? keyFault(text, inside) : undefined;
        if (key !== undefined) return key;
        at = char === '{' ? afterKey(text, inside) : inside;
        continue;
      }
      at = inside + 1;
    } else {
      const end = scalarEnd(text, at);
      if (typeof end !== 'number') return end;
      at = end;
    }
    // Here a value has ended: close what closes, then a comma or the end is due.
    at = skipSpace(text, at);
    while (open.length > 0 && text[at] === (open.at(-1) === '{' ? '}' : ']')) {
      open.pop();
      at = skipSpace(text, at + 1);
    }
    const around = open.at(-1);
    if (around === undefined)
      return at < text.length
        ? { offset: at, message: 'unexpected text after the value' }
        : undefined;
    if (text[at] !== ',')
      return {
        offset: at,
        message: `expected "," or "${around === '{' ? '}' : ']'}"${found(text, at)}`,
      };
    at = skipSpace(text, at + 1);
    if (around === '{') {
      const key = keyFault(text, at);
      if (key !== undefined) return key;
      at = afterKey(text, at);
    }
  }
}

function keyFault(text: string, at: number): JsonFault | undefined {
  if (text[at] !== '"') {
    const trailing =
      text[at] === '}' && isAfterComma(text, at) ? ' (a comma before "}" is not allowed)' : '';
    return { offset: at, message: `expected a key in double quotes${found(text, at)}${trailing}` };
  }
  const end = stringFault(text, at);
  if (typeof end !== 'number') return end;
  const colon = skipSpace(text, end);
  return text[colon] === ':'
    ? undefined
    : { offset: colon, message: `expected ":" after the key${found(text, colon)}` };
}

function afterKey(text: string, at: number): number {
  return skipSpace(text, skipSpace(text, endOfString(text, at)) + 1);
}

function scalarEnd(text: string, at: number): number | JsonFault {
  if (text[at] === '"') return stringFault(text, at);
  LITERAL.lastIndex = at;
  const literal = LITERAL.exec(text);
  if (literal !== null) return at + literal[0].length;
  const trailing =
    text[at] === ']' && isAfterComma(text, at) ? ' (a comma before "]" is not allowed)' : '';
  return { offset: at, message: `expected a value${found(text, at)}${trailing}` };
}

function isAfterComma(text: string, at: number): boolean {
  return /,\s*$/.test(text.slice(Math.max(0, at - 1000), at));
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The offset after the closing quote, or what is wrong with the string. */
function stringFault(text: string, start: number): number | JsonFault {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20)
      return { offset: at, message: 'a line break or control character in a string' };
    if (code === 0x5c) {
      ESCAPE.lastIndex = at;
      const escape = ESCAPE.exec(text);
      if (escape === null) return { offset: at, message: 'unknown escape in a string' };
      at += escape[0].length;
    } else at += 1;
  }
  return { offset: start, message: 'the string is not closed' };
}

function found(text: string, at: number): string {
  const char = text[at];
  return char === undefined ? ', found the end of the file' : `, found ${JSON.stringify(char)}`;
}
