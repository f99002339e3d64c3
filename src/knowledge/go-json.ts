/**
 * JSON as Go's encoding/json reads it: the same texts are accepted, and a text that is not gets Go's
 * own message, since runtimes and plugins pass that message on to their users
 * (`go:src/encoding/json/scanner.go@go1.23`; truth:B01–B03, B18–B22, A09).
 */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export type JsonObject = { readonly [key: string]: JsonValue };

export type GoParsed =
  { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly error: string };

export function parseGoJson(text: string): GoParsed {
  try {
    const value: JsonValue = JSON.parse(text);
    return { ok: true, value };
  } catch {
    return { ok: false, error: new Scanner(text).error() };
  }
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How Go's `%T` names what it decoded into an `interface{}`. */
export function goTypeOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** How Go's `json: cannot unmarshal …` names a JSON value. */
export function goKindOf(value: JsonValue): string {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'object') return Array.isArray(value) ? 'array' : 'object';
  return typeof value;
}

/**
 * A field as a Go struct reads it: the key in any letter case, the last one winning (truth:B26). A
 * `null` leaves the field as it was.
 */
export function structField(object: JsonObject, name: string): JsonValue | undefined {
  const exact = object[name];
  const wanted = name.toLowerCase();
  let found: JsonValue | undefined = exact === null ? undefined : exact;
  for (const key in object) {
    if (key.length !== name.length || key === name || key.toLowerCase() !== wanted) continue;
    const value = object[key];
    if (value !== null) found = value;
  }
  return found;
}

/** Go's `strconv.Quote`, as `%q` prints it. */
export function goQuote(text: string): string {
  let out = '"';
  for (const character of text) out += character === '"' ? '\\"' : escaped(character);
  return `${out}"`;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function escaped(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if ((code >= 0x80 && code <= 0xa0) || code === 0xad || code === 0xfeff) {
    return `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return character;
}

const WHITE = new Set([' ', '\t', '\n', '\r']);
const HEX = /^[0-9a-fA-F]$/;
const END = 'unexpected end of JSON input';

/** Walks the text the way Go's scanner does, over bytes, and stops at its first complaint. */
class Scanner {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(text: string) {
    this.bytes = new TextEncoder().encode(text);
  }

  error(): string {
    const problem = this.value() ?? this.trailing();
    // JSON.parse refused the text, so a scan without complaint can only be one it is stricter about.
    return problem ?? END;
  }

  private trailing(): string | undefined {
    this.space();
    const next = this.peek();
    return next === undefined ? undefined : this.invalid('after top-level value');
  }

  private value(): string | undefined {
    this.space();
    const next = this.peek();
    if (next === undefined) return END;
    if (next === '{') return this.object();
    if (next === '[') return this.array();
    if (next === '"') return this.string();
    if (next === '-' || isDigit(next)) return this.number();
    if (next === 't') return this.literal('true');
    if (next === 'f') return this.literal('false');
    if (next === 'n') return this.literal('null');
    return this.invalid('looking for beginning of value');
  }

  private object(): string | undefined {
    this.at += 1;
    this.space();
    if (this.peek() === '}') {
      this.at += 1;
      return undefined;
    }
    for (;;) {
      const problem = this.member();
      if (problem !== undefined) return problem;
      this.space();
      const next = this.peek();
      if (next === undefined) return END;
      if (next !== ',' && next !== '}') return this.invalid('after object key:value pair');
      this.at += 1;
      if (next === '}') return undefined;
    }
  }

  private member(): string | undefined {
    this.space();
    const next = this.peek();
    if (next === undefined) return END;
    if (next !== '"') return this.invalid('looking for beginning of object key string');
    const problem = this.string();
    if (problem !== undefined) return problem;
    this.space();
    const colon = this.peek();
    if (colon === undefined) return END;
    if (colon !== ':') return this.invalid('after object key');
    this.at += 1;
    return this.value();
  }

  private array(): string | undefined {
    this.at += 1;
    this.space();
    if (this.peek() === ']') {
      this.at += 1;
      return undefined;
    }
    for (;;) {
      const problem = this.value();
      if (problem !== undefined) return problem;
      this.space();
      const next = this.peek();
      if (next === undefined) return END;
      if (next !== ',' && next !== ']') return this.invalid('after array element');
      this.at += 1;
      if (next === ']') return undefined;
    }
  }

  private string(): string | undefined {
    this.at += 1;
    for (;;) {
      const next = this.peek();
      if (next === undefined) return END;
      if (next < ' ') return this.invalid('in string literal');
      this.at += 1;
      if (next === '"') return undefined;
      if (next !== '\\') continue;
      const problem = this.escape();
      if (problem !== undefined) return problem;
    }
  }

  private escape(): string | undefined {
    const kind = this.peek();
    if (kind === undefined) return END;
    if (kind !== 'u') {
      if (!'bfnrt\\/"'.includes(kind)) return this.invalid('in string escape code');
      this.at += 1;
      return undefined;
    }
    this.at += 1;
    for (let digit = 0; digit < 4; digit += 1) {
      const next = this.peek();
      if (next === undefined) return END;
      if (!HEX.test(next)) return this.invalid('in \\u hexadecimal character escape');
      this.at += 1;
    }
    return undefined;
  }

  private number(): string | undefined {
    if (this.peek() === '-') this.at += 1;
    const first = this.peek();
    if (first === undefined) return END;
    if (!isDigit(first)) return this.invalid('in numeric literal');
    if (first === '0') this.at += 1;
    else this.digits();
    if (this.peek() === '.') {
      this.at += 1;
      const problem = this.digitsAfter('after decimal point in numeric literal');
      if (problem !== undefined) return problem;
    }
    if (this.peek() !== 'e' && this.peek() !== 'E') return undefined;
    this.at += 1;
    if (this.peek() === '+' || this.peek() === '-') this.at += 1;
    return this.digitsAfter('in exponent of numeric literal');
  }

  private digitsAfter(context: string): string | undefined {
    const next = this.peek();
    if (next === undefined) return END;
    if (!isDigit(next)) return this.invalid(context);
    this.digits();
    return undefined;
  }

  private digits(): void {
    for (let next = this.peek(); next !== undefined && isDigit(next); next = this.peek()) {
      this.at += 1;
    }
  }

  private literal(word: string): string | undefined {
    for (let index = 1; index < word.length; index += 1) {
      this.at += 1;
      const expected = word.charAt(index);
      const next = this.peek();
      if (next === undefined) return END;
      if (next !== expected) return this.invalid(`in literal ${word} (expecting '${expected}')`);
    }
    this.at += 1;
    return undefined;
  }

  private space(): void {
    for (let next = this.peek(); next !== undefined && WHITE.has(next); next = this.peek()) {
      this.at += 1;
    }
  }

  /** The byte as a Latin-1 character, which is how Go quotes a byte in its message. */
  private peek(): string | undefined {
    const byte = this.bytes[this.at];
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }

  private invalid(context: string): string {
    const character = this.peek() ?? '';
    const quoted = character === "'" ? "\\'" : escaped(character);
    return `invalid character '${quoted}' ${context}`;
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}
