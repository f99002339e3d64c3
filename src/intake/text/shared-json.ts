/**
 * JSON of very many alike objects, parsed so that equal parts are one value: the containers of a
 * Deployment's pods, their tolerations, the strings that name their node. What JSON.parse makes of a
 * snapshot is many times larger. Where parts are never equal they are not looked for any more. The
 * values are not to be changed by anybody.
 */
import { KNOWN_LENGTH_MAX, Site } from './json-sites.ts';

/** Members that are left out: by the key of their object, or of the list it is in. */
export type Unread = ReadonlyMap<string, ReadonlySet<string>>;

/** Undefined for a text that is not JSON: JSON.parse says where. */
export function parseShared(text: string, unread: Unread = new Map()): unknown {
  try {
    return new SharedParser(text, unread).whole();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** V8 lets a longer part of a string keep the whole of it. */
const COPIED_LENGTH = 12;
/** Of one digit less than may be too large, or end in a zero that is none. */
const PLAIN_DIGITS_MAX = 9;
const DEPTH_MAX = 200;

class SharedParser {
  private readonly text: string;
  private readonly unread: Unread;
  private at = 0;
  private depth = 0;
  /** Of what was stepped over last: equal texts have equal marks. */
  private mark = 0;

  constructor(text: string, unread: Unread) {
    this.text = text;
    this.unread = unread;
  }

  whole(): unknown {
    // A list and its items are themselves; equal parts are looked for below.
    const root = new Site('', { shares: false });
    root.members.push(new Site('items', { shares: false }));
    const value = this.value(root);
    if (!Number.isNaN(this.peek())) throw wrong();
    return value;
  }

  private value(site: Site): unknown {
    const code = this.peek();
    const start = this.at;
    if (code !== QUOTE && code !== OPEN_BRACE && code !== OPEN_BRACKET) return this.word();
    const recent = site.recent?.find(this.text, start);
    if (recent !== undefined) {
      this.at = start + recent.text.length;
      return recent.value;
    }
    const value = code === QUOTE ? this.string(site) : this.container(site, code);
    site.recent?.add(this.text.slice(start, this.at), value);
    return value;
  }

  private container(site: Site, code: number): unknown {
    const start = this.at;
    if (!site.shares) return this.parts(site, code);
    const end = this.endOf(start);
    if (end - start > KNOWN_LENGTH_MAX || !site.isSeen(this.mark)) return this.parts(site, code);
    const part = this.text.slice(start, end);
    const found = site.find(part);
    if (found !== undefined) {
      this.at = end;
      return found;
    }
    // What is new as a whole may have parts that are not.
    const value = this.parts(site, code);
    site.remember(part, value);
    return value;
  }

  private parts(site: Site, code: number): unknown {
    this.depth += 1;
    if (this.depth > DEPTH_MAX) throw wrong();
    const value = code === OPEN_BRACE ? this.object(site) : this.array(site);
    this.depth -= 1;
    return value;
  }

  private object(site: Site): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    this.at += 1;
    if (this.peek() === CLOSE_BRACE) {
      this.at += 1;
      return value;
    }
    for (let index = 0; ; index += 1) {
      const member = this.key(site, index);
      if (member.isUnread) this.at = this.endOfUnread();
      else this.add(value, member);
      const code = this.peek();
      this.at += 1;
      if (code === CLOSE_BRACE) return value;
      if (code !== COMMA) throw wrong();
    }
  }

  private add(value: Record<string, unknown>, member: Site): void {
    const child = this.value(member);
    // As JSON.parse does, which makes a property of its own of it.
    if (member.key === '__proto__') define(value, child);
    else value[member.key] = child;
  }

  /** Looked at as far as it must be JSON's: a text. */
  private endOfUnread(): number {
    if (this.peek() !== QUOTE) throw wrong();
    return this.endOfString(this.at);
  }

  private array(site: Site): unknown[] {
    const value: unknown[] = [];
    this.at += 1;
    if (this.peek() === CLOSE_BRACKET) {
      this.at += 1;
      return value;
    }
    for (;;) {
      value.push(this.value(site.elements));
      const code = this.peek();
      this.at += 1;
      // A copy: V8 leaves room for sixteen more behind what is pushed.
      if (code === CLOSE_BRACKET) return value.slice();
      if (code !== COMMA) throw wrong();
    }
  }

  /** Steps over the key and its colon. Objects of one form have their keys in one order. */
  private key(site: Site, index: number): Site {
    const { members } = site;
    if (this.peek() !== QUOTE) throw wrong();
    const expected = members[index];
    if (expected !== undefined && this.text.startsWith(expected.quoted, this.at)) {
      this.at += expected.quoted.length;
      return expected;
    }
    const start = this.at;
    this.at = this.endOfString(start);
    const key: unknown = JSON.parse(this.text.slice(start, this.at));
    if (this.peek() !== COLON) throw wrong();
    this.at += 1;
    let member = members.find((each) => each.key === key);
    if (member === undefined) {
      member = new Site(String(key), {
        isUnread: this.unread.get(site.key)?.has(String(key)) === true,
      });
      // Maps with keys of their own (labels, data) must not make lists without end.
      if (members.length < MEMBERS_MAX) members.push(member);
      else member.shares = false;
    }
    return member;
  }

  private string(site: Site): unknown {
    const start = this.at;
    const end = this.endOfString(start);
    this.at = end;
    const part = this.text.slice(start, end);
    if (!site.shares || end - start <= COPIED_LENGTH || !site.isSeen(this.mark))
      return JSON.parse(part);
    const found = site.find(part);
    if (found !== undefined) return found;
    const value: unknown = JSON.parse(part);
    site.remember(part, value);
    return value;
  }

  private word(): unknown {
    const { text, at: start } = this;
    let end = start;
    let number = 0;
    let isPlain = true;
    for (; ; end += 1) {
      const code = text.charCodeAt(end);
      const isDigit = code >= 0x30 && code <= 0x39;
      const isWord =
        isDigit ||
        (code >= 0x61 && code <= 0x7a) ||
        code === 0x2d ||
        code === 0x2b ||
        code === 0x2e ||
        code === 0x45;
      if (!isWord) break;
      if (isDigit) number = number * 10 + code - 0x30;
      else isPlain = false;
    }
    this.at = end;
    const length = end - start;
    const isNumber =
      isPlain && length > 0 && length <= PLAIN_DIGITS_MAX && (length === 1 || text[start] !== '0');
    return isNumber ? number : JSON.parse(text.slice(start, end));
  }

  /** The code of the next token; NaN at the end. */
  private peek(): number {
    const { text } = this;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.at += 1;
    }
  }

  /** After the closing quote; `mark` is then that of the string. */
  private endOfString(start: number): number {
    const { text } = this;
    let mark = 0;
    for (let at = start + 1; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.mark = mark;
        return at + 1;
      }
      mark = (Math.imul(mark, 31) + code) | 0;
      if (code === BACKSLASH) at += 1;
      else if (Number.isNaN(code)) throw wrong();
    }
  }

  /** After the bracket that closes the one at the start; `mark` is then that of all between. */
  private endOf(start: number): number {
    const { text } = this;
    let depth = 0;
    let mark = 0;
    for (let at = start; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        at = this.endOfString(at) - 1;
        mark = (Math.imul(mark, 31) + this.mark) | 0;
      } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        depth -= 1;
        if (depth === 0) {
          this.mark = mark;
          return at + 1;
        }
      } else if (Number.isNaN(code)) throw wrong();
      else mark = (Math.imul(mark, 31) + code) | 0;
    }
  }
}

/** Keys of one place that are told apart. */
const MEMBERS_MAX = 64;

function define(value: object, child: unknown): void {
  const whole = { value: child, enumerable: true, configurable: true, writable: true };
  Object.defineProperty(value, '__proto__', whole);
}

function wrong(): SyntaxError {
  return new SyntaxError('no JSON');
}
