/**
 * API objects as a snapshot keeps them: without secrets, and without what no rule reads. Goes through
 * the bytes that the server wrote, once, and copies what stays: a large cluster is a gigabyte of text,
 * and making objects of it would take longer than reading it. What it takes out, by key and by shape, is
 * what `redactData` would.
 */
import {
  COLON,
  COMMA,
  JsonCursor,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../base/json-cursor.ts';
import { REDACTED, redactText } from '../../base/redaction.ts';
import { isMark, NOTABLE } from '../../base/redaction-marks.ts';
import { type KeyMeaning, KeyReader } from './key-meanings.ts';
import type { TextBuffer } from './text-buffer.ts';

/** Values that rules and twins read; every other environment value goes. */
const READ_VARIABLES =
  /^(IP|IP6|IP_AUTODETECTION_METHOD|CALICO_\w+|FLANNELD_\w+|FELIX_\w*MTU|CNI_\w+|BIN_PATH|KUBERNETES_SERVICE_(HOST|PORT)|CILIUM_K8S_NAMESPACE)$/;

const REDACTED_TEXT = JSON.stringify(REDACTED);

/** Objects of one kind, one after the other, from the bytes of a list's `items`. */
export class ObjectRedactor {
  private readonly head: string;
  private readonly cursor: JsonCursor;
  private readonly out: TextBuffer;
  private readonly keys: KeyReader;
  private isFirst = true;
  /** Bytes up to here are written, or left out. */
  private done = 0;

  /** `items`: the text between the brackets of the list. */
  constructor(
    type: { readonly apiVersion: string; readonly kind: string },
    items: Buffer,
    out: TextBuffer,
    keys = new KeyReader(),
  ) {
    const { apiVersion, kind } = type;
    this.head = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)}`;
    this.cursor = new JsonCursor(items);
    this.out = out;
    this.keys = keys;
  }

  /** Throws a SyntaxError where something else than an object follows. */
  hasNext(): boolean {
    const { cursor } = this;
    if (cursor.peek() === undefined) return false;
    if (!this.isFirst) cursor.expect(COMMA);
    this.isFirst = false;
    return true;
  }

  /** Once after each `hasNext`. Throws a SyntaxError where the text is not whole. */
  copyNext(): void {
    this.object();
  }

  // ------------------------------------------------------------ the object and its metadata

  private object(): void {
    const { cursor, out } = this;
    out.write(this.head);
    if (cursor.enterObject()) {
      do {
        cursor.peek();
        const start = cursor.at;
        const meaning = this.key();
        if (meaning === 'type') {
          cursor.skipValue();
          continue;
        }
        out.write(',');
        this.done = start;
        if (meaning === 'metadata') this.metadata();
        else this.member(meaning);
        this.flush(cursor.at);
      } while (cursor.nextMember());
    }
    out.write('}');
  }

  private metadata(): void {
    const { cursor } = this;
    if (cursor.peek() !== OPEN_BRACE) {
      cursor.skipValue();
      return;
    }
    this.members((meaning) => {
      if (meaning === 'managed-fields') return false;
      if (meaning === 'annotations' && cursor.peek() === OPEN_BRACE) this.annotations();
      else cursor.skipValue();
      return true;
    });
  }

  private annotations(): void {
    this.members((meaning) => {
      if (meaning === 'last-applied') return false;
      this.member(meaning);
      return true;
    });
  }

  /** The members of an object; those that `take` does not want, and so does not step over, go. */
  private members(take: (meaning: KeyMeaning) => boolean): void {
    const { cursor } = this;
    if (!cursor.enterObject()) return;
    let isFirst = true;
    for (;;) {
      // The comma before it, where there is one.
      const start = isFirst ? cursor.at : cursor.at - 1;
      const meaning = this.key();
      const isTaken = take(meaning);
      if (isTaken) isFirst = false;
      else {
        cursor.skipValue();
        this.flush(start);
        this.done = cursor.at;
      }
      if (!cursor.nextMember()) return;
      // Nothing is before it any more.
      if (isFirst) this.done = cursor.at;
    }
  }

  // ------------------------------------------------------------ what is in it

  private member(meaning: KeyMeaning): void {
    const { cursor } = this;
    if (meaning === 'secret' && cursor.peek() === QUOTE) {
      const start = cursor.at;
      cursor.skipString();
      // An empty one says that there is none.
      if (cursor.at - start > 2) this.replace(start, cursor.at, REDACTED_TEXT);
    } else if (meaning === 'env' && cursor.peek() === OPEN_BRACKET) this.variables();
    else this.value();
  }

  private value(): void {
    const { cursor } = this;
    switch (cursor.peek()) {
      case QUOTE:
        this.string();
        return;
      case OPEN_BRACE:
        if (!cursor.enterObject()) return;
        do this.member(this.key());
        while (cursor.nextMember());
        return;
      case OPEN_BRACKET:
        if (!cursor.enterArray()) return;
        do this.value();
        while (cursor.nextElement());
        return;
      default:
        cursor.skipWord();
    }
  }

  private string(): void {
    const { cursor } = this;
    const { bytes, at: start } = cursor;
    let isMarked = false;
    let at = start + 1;
    for (;;) {
      const byte = bytes[at];
      if (byte === undefined) throw cursor.unexpected(at);
      const notable = NOTABLE[byte];
      if (notable === 0) at += 1;
      else if (notable === 2) break;
      else if (notable === 3) {
        // What is written with escapes is looked at as it is meant.
        isMarked = true;
        at += 2;
      } else {
        isMarked ||= isMark(bytes, at, start + 1);
        at += 1;
      }
    }
    cursor.at = at + 1;
    if (isMarked) this.markedString(start, at + 1);
  }

  private markedString(start: number, end: number): void {
    const text: unknown = JSON.parse(this.cursor.text(start, end));
    if (typeof text !== 'string') return;
    const rest = redactText(text);
    if (rest !== text) this.replace(start, end, JSON.stringify(rest));
  }

  // ------------------------------------------------------------ environment variables

  private variables(): void {
    const { cursor } = this;
    if (!cursor.enterArray()) return;
    do {
      if (cursor.peek() === OPEN_BRACE) this.variable();
      else this.value();
    } while (cursor.nextElement());
  }

  private variable(): void {
    const { cursor } = this;
    const start = cursor.at;
    const isRead = READ_VARIABLES.test(this.nameOfVariable());
    cursor.at = start;
    if (!cursor.enterObject()) return;
    do {
      const meaning = this.key();
      if (meaning !== 'value' || isRead) this.member(meaning);
      else {
        cursor.peek();
        const from = cursor.at;
        cursor.skipValue();
        this.replace(from, cursor.at, REDACTED_TEXT);
      }
    } while (cursor.nextMember());
  }

  /** Wherever in the entry it stands. */
  private nameOfVariable(): string {
    const { cursor } = this;
    let name = '';
    if (!cursor.enterObject()) return name;
    do {
      const meaning = this.key();
      const start = cursor.at;
      const isText = cursor.peek() === QUOTE;
      cursor.skipValue();
      if (meaning === 'name' && isText) name = cursor.text(start + 1, cursor.at - 1);
    } while (cursor.nextMember());
    return name;
  }

  // ------------------------------------------------------------ what is written

  /** What the key at the cursor means; the cursor then stands at the value. */
  private key(): KeyMeaning {
    const { cursor } = this;
    const { bytes } = cursor;
    if (cursor.peek() !== QUOTE) throw cursor.unexpected();
    const meaning = this.keys.read(bytes, cursor.at + 1);
    if (meaning === undefined) throw cursor.unexpected(bytes.length);
    cursor.at = this.keys.end;
    cursor.expect(COLON);
    cursor.peek();
    return meaning;
  }

  private replace(start: number, end: number, text: string): void {
    this.flush(start);
    this.out.write(text);
    this.done = end;
  }

  private flush(to: number): void {
    this.out.copy(this.cursor.bytes, this.done, to);
    this.done = to;
  }
}
