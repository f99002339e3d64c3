/**
 * A place in the bytes of a JSON text, for those who need a little of much text: what is not looked at
 * is stepped over and never made a value. Throws a SyntaxError where the text is not JSON's; what it
 * steps over it checks for strings, brackets and the end only.
 */
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_BRACE = 0x7b;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const COLON = 0x3a;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;

/** What `skipRest` of a value has to look at: quotes, brackets, nothing else. */
const KIND = new Uint8Array(256);
KIND[QUOTE] = 1;
KIND[OPEN_BRACE] = 2;
KIND[OPEN_BRACKET] = 2;
KIND[CLOSE_BRACE] = 3;
KIND[CLOSE_BRACKET] = 3;

export class JsonCursor {
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** The byte of the next token; undefined at the end. */
  peek(): number | undefined {
    const { bytes } = this;
    let { at } = this;
    // Blank, tab and ends of lines are all that stands between tokens.
    while ((bytes[at] ?? 0xff) <= SPACE) at += 1;
    this.at = at;
    return bytes[at];
  }

  /** Steps over the token. */
  expect(byte: number): void {
    if (this.peek() !== byte) throw this.unexpected();
    this.at += 1;
  }

  /** Into the object; true when it has a member. */
  enterObject(): boolean {
    this.expect(OPEN_BRACE);
    return this.isInside(CLOSE_BRACE);
  }

  enterArray(): boolean {
    this.expect(OPEN_BRACKET);
    return this.isInside(CLOSE_BRACKET);
  }

  private isInside(close: number): boolean {
    if (this.peek() !== close) return true;
    this.at += 1;
    return false;
  }

  /** Steps over the comma, or over the bracket at the end: false. */
  nextMember(): boolean {
    return this.next(CLOSE_BRACE);
  }

  nextElement(): boolean {
    return this.next(CLOSE_BRACKET);
  }

  private next(close: number): boolean {
    const byte = this.peek();
    if (byte !== COMMA && byte !== close) throw this.unexpected();
    this.at += 1;
    return byte === COMMA;
  }

  /** Steps over a member's key and its colon; the cursor stands at the value. */
  skipKey(): void {
    if (this.peek() !== QUOTE) throw this.unexpected();
    this.skipString();
    this.expect(COLON);
    this.peek();
  }

  /** From the opening quote to after the closing one. */
  skipString(): void {
    const { bytes } = this;
    let at = this.at + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte === undefined) throw this.unexpected(at);
      at += byte === BACKSLASH ? 2 : 1;
    }
    this.at = at + 1;
  }

  skipValue(): void {
    const byte = this.peek();
    if (byte === QUOTE) this.skipString();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.skipRest();
    else this.skipWord();
  }

  /** From an opening bracket to after the one that closes it. */
  private skipRest(): void {
    const { bytes } = this;
    let depth = 0;
    for (let at = this.at; ; at += 1) {
      const byte = bytes[at];
      if (byte === undefined) throw this.unexpected(at);
      const kind = KIND[byte];
      if (kind === 0) continue;
      if (kind === 1) {
        this.at = at;
        this.skipString();
        at = this.at - 1;
      } else if (kind === 2) depth += 1;
      else {
        depth -= 1;
        if (depth > 0) continue;
        this.at = at + 1;
        return;
      }
    }
  }

  /** A number, `true`, `false` or `null`. */
  skipWord(): void {
    const { bytes, at: start } = this;
    let at = start;
    for (;;) {
      const byte = bytes[at] ?? 0;
      const isWord =
        (byte >= 0x61 && byte <= 0x7a) ||
        (byte >= 0x30 && byte <= 0x39) ||
        byte === 0x2d ||
        byte === 0x2b ||
        byte === 0x2e ||
        byte === 0x45;
      if (!isWord) break;
      at += 1;
    }
    if (at === start) throw this.unexpected();
    this.at = at;
  }

  text(from: number, to: number): string {
    return this.bytes.toString('utf8', from, to);
  }

  unexpected(at = this.at): SyntaxError {
    const what = at >= this.bytes.length ? 'the text ends' : `a byte ${this.bytes[at] ?? 0}`;
    return new SyntaxError(`no JSON: ${what} at ${at}`);
  }
}
