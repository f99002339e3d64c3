/**
 * JSON of very many alike objects, parsed so that equal parts are one value: the containers of a
 * Deployment's pods, their tolerations, the strings that name their node. What JSON.parse makes of a
 * snapshot is many times larger. Where parts are never equal they are not looked for any more. The
 * values are not to be changed by anybody.
 */

/** Undefined for a text that is not JSON: JSON.parse says where. */
export function parseShared(text: string): unknown {
  try {
    return new SharedParser(text).whole();
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

/** Values looked at before it is decided whether equal ones are looked for. */
const TRIED = 400;
/** Texts that are remembered at one place. */
const KNOWN_MAX = 20_000;
const KNOWN_LENGTH_MAX = 4_000;
const DEPTH_MAX = 200;

/** A value that came more than once, and its text. */
interface Known {
  readonly text: string;
  readonly value: unknown;
}

/** A place in objects of one form: `spec.containers[].image`. */
class Site {
  readonly members: Site[] = [];
  readonly key: string;
  /** The key as it stands in the text, from the token before it to its value. */
  lead: string;
  /** Whether equal values are looked for here. */
  shares: boolean;
  private element: Site | undefined;
  /** Marks of the texts that were seen once: most are never seen again, and not worth keeping. */
  private readonly seen = new Set<number>();
  /** By the mark of the text; of two texts with one mark, the last. */
  private readonly known = new Map<number, Known>();
  private last: Known | undefined;
  private tries = 0;
  private hits = 0;

  constructor(key: string, shares = true) {
    this.key = key;
    this.lead = `${JSON.stringify(key)}:`;
    this.shares = shares;
  }

  get elements(): Site {
    this.element ??= new Site('');
    return this.element;
  }

  /** Whether a text with this mark came before. */
  isSeen(mark: number): boolean {
    this.tries += 1;
    if (this.seen.has(mark)) return true;
    if (this.seen.size >= KNOWN_MAX) this.seen.clear();
    this.seen.add(mark);
    this.giveUpInVain();
    return false;
  }

  /** What is too long to be looked for is a try as well: its end need not be searched for ever. */
  isTooLong(length: number): boolean {
    if (length <= KNOWN_LENGTH_MAX) return false;
    this.tries += 1;
    this.giveUpInVain();
    return true;
  }

  private giveUpInVain(): void {
    if (this.tries < TRIED || this.hits * 2 >= this.tries) return;
    this.shares = false;
    this.seen.clear();
    this.known.clear();
    this.last = undefined;
  }

  /** The value met last, if it comes again here: lists are in order of names, and so alike in a row. */
  again(text: string, at: number): Known | undefined {
    const { last } = this;
    if (last === undefined || !text.startsWith(last.text, at)) return undefined;
    this.tries += 1;
    this.hits += 1;
    return last;
  }

  find(mark: number, text: string, start: number, end: number): Known | undefined {
    const found = this.known.get(mark);
    if (found?.text.length !== end - start || !text.startsWith(found.text, start)) return undefined;
    this.hits += 1;
    this.last = found;
    return found;
  }

  remember(mark: number, text: string, value: unknown): void {
    if (this.known.size >= KNOWN_MAX) this.known.clear();
    this.last = { text: copied(text), value };
    this.known.set(mark, this.last);
  }
}

/** Parts of a text must not keep the whole of it. */
function copied(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string; // a text comes back as a text
}

class SharedParser {
  private readonly text: string;
  private at = 0;
  private depth = 0;
  /** Of what was stepped over last: equal texts have equal marks. */
  private mark = 0;

  constructor(text: string) {
    this.text = text;
  }

  whole(): unknown {
    // A list and its items are themselves; equal parts are looked for below.
    const root = new Site('', false);
    const items = new Site('items', false);
    items.elements.shares = false;
    root.members.push(items);
    const value = this.value(root);
    if (!Number.isNaN(this.peek())) throw wrong();
    return value;
  }

  private value(site: Site): unknown {
    const code = this.peek();
    const start = this.at;
    if (code === QUOTE) return this.string(site);
    if (code !== OPEN_BRACE && code !== OPEN_BRACKET) return this.word();
    if (!site.shares) return this.parts(site, code);
    const again = site.again(this.text, start);
    if (again !== undefined) return this.over(again);
    const end = this.endOf(start);
    const { mark } = this;
    if (site.isTooLong(end - start) || !site.isSeen(mark)) return this.parts(site, code);
    const found = site.find(mark, this.text, start, end);
    if (found !== undefined) return this.over(found);
    // What is new as a whole may have parts that are not.
    const value = this.parts(site, code);
    site.remember(mark, this.text.slice(start, end), value);
    return value;
  }

  /** Steps over what is known already: its text ends where the value does. */
  private over({ text, value }: Known): unknown {
    this.at += text.length;
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
    for (let index = 0; ; index += 1) {
      const expected = this.expectedKey(site, index);
      if (expected === undefined && index === 0 && this.closes(CLOSE_BRACE)) return value;
      const member = expected ?? this.key(site);
      const child = this.value(member);
      // As JSON.parse does, which makes a property of its own of it.
      if (member.key === '__proto__') define(value, child);
      else value[member.key] = child;
      const code = this.peek();
      this.at += 1;
      if (code === CLOSE_BRACE) return value;
      if (code !== COMMA) throw wrong();
    }
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
      if (code === CLOSE_BRACKET) return value;
      if (code !== COMMA) throw wrong();
    }
  }

  /** Whether nothing comes before the bracket; it is stepped over then, and else nothing is. */
  private closes(bracket: number): boolean {
    const start = this.at;
    const isClosed = this.peek() === bracket;
    this.at = isClosed ? this.at + 1 : start;
    return isClosed;
  }

  /** Objects of one form have their keys in one order, and stand in the text in one way. */
  private expectedKey({ members }: Site, index: number): Site | undefined {
    for (let next = index; next < members.length; next += 1) {
      const member = members[next];
      if (member === undefined || !this.text.startsWith(member.lead, this.at)) continue;
      this.at += member.lead.length;
      return member;
    }
    return undefined;
  }

  /** Steps over the key, its colon, and what stands around them. */
  private key({ members }: Site): Site {
    const lead = this.at;
    if (this.peek() !== QUOTE) throw wrong();
    const start = this.at;
    this.at = this.endOfString(start);
    const key: unknown = JSON.parse(this.text.slice(start, this.at));
    if (this.peek() !== COLON) throw wrong();
    this.at += 1;
    this.peek();
    let member = members.find((each) => each.key === key);
    if (member === undefined) {
      member = new Site(String(key));
      if (members.length < MEMBERS_MAX) members.push(member);
      else member.shares = false;
    }
    member.lead = copied(this.text.slice(lead, this.at));
    return member;
  }

  private string(site: Site): unknown {
    const { text, at: start } = this;
    const again = site.shares ? site.again(text, start) : undefined;
    if (again !== undefined) return this.over(again);
    const end = this.endOfString(start);
    const { mark } = this;
    this.at = end;
    if (!site.shares || !site.isSeen(mark)) return JSON.parse(text.slice(start, end));
    const found = site.find(mark, text, start, end);
    if (found !== undefined) return found.value;
    const part = text.slice(start, end);
    const value: unknown = JSON.parse(part);
    site.remember(mark, part, value);
    return value;
  }

  private word(): unknown {
    const { text, at: start } = this;
    let end = start;
    for (; ; end += 1) {
      const code = text.charCodeAt(end);
      const isWord =
        (code >= 0x30 && code <= 0x39) ||
        (code >= 0x61 && code <= 0x7a) ||
        code === 0x2d ||
        code === 0x2b ||
        code === 0x2e ||
        code === 0x45;
      if (!isWord) break;
    }
    this.at = end;
    return JSON.parse(text.slice(start, end));
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
