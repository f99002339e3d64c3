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
import { KeyReader, type KnownKey } from './key-meanings.ts';
import type { RememberedValues } from './remembered-values.ts';
import type { TextBuffer } from './text-buffer.ts';

/** Values that rules and twins read; every other environment value goes. */
const READ_VARIABLES =
  /^(IP|IP6|IP_AUTODETECTION_METHOD|CALICO_\w+|FLANNELD_\w+|FELIX_\w*MTU|CNI_\w+|BIN_PATH|KUBERNETES_SERVICE_(HOST|PORT)|CILIUM_K8S_NAMESPACE)$/;

const REDACTED_TEXT = Buffer.from(JSON.stringify(REDACTED));

/** What stands between members, and after the last one. */
const PUNCTUATION = Buffer.from(',}');

/** How a value is gone through. */
type Form = 'object' | 'array' | 'variables' | 'variable' | 'named';

/** Objects of one kind, one after the other, from the bytes of a list's `items`. */
export class ObjectRedactor {
  private readonly head: Buffer;
  private readonly cursor: JsonCursor;
  private readonly view: DataView;
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
    this.head = Buffer.from(
      `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)}`,
    );
    this.cursor = new JsonCursor(items);
    this.view = new DataView(items.buffer, items.byteOffset, items.byteLength);
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
    out.copy(this.head, 0, this.head.length);
    if (cursor.enterObject()) {
      do {
        cursor.peek();
        const start = cursor.at;
        const key = this.key();
        if (key.meaning === 'type') {
          cursor.skipValue();
          continue;
        }
        out.copy(PUNCTUATION, 0, 1);
        this.done = start;
        if (key.meaning === 'metadata') this.metadata();
        else this.member(key);
        this.flush(cursor.at);
      } while (cursor.nextMember());
    }
    out.copy(PUNCTUATION, 1, 2);
  }

  private metadata(): void {
    const { cursor } = this;
    if (cursor.peek() !== OPEN_BRACE) {
      cursor.skipValue();
      return;
    }
    this.members(({ meaning }) => {
      if (meaning === 'managed-fields') return false;
      if (meaning === 'annotations' && cursor.peek() === OPEN_BRACE) this.annotations();
      else cursor.skipValue();
      return true;
    });
  }

  private annotations(): void {
    this.members((key) => {
      if (key.meaning === 'last-applied') return false;
      this.member(key);
      return true;
    });
  }

  /** The members of an object; those that `take` does not want, and so does not step over, go. */
  private members(take: (key: KnownKey) => boolean): void {
    const { cursor } = this;
    if (!cursor.enterObject()) return;
    let isFirst = true;
    for (;;) {
      // The comma before it, where there is one.
      const start = isFirst ? cursor.at : cursor.at - 1;
      const key = this.key();
      const isTaken = take(key);
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

  private member(key: KnownKey): void {
    const { cursor } = this;
    const byte = cursor.peek();
    if (byte === OPEN_BRACE) this.again(key.values, 'object', key);
    else if (byte === OPEN_BRACKET)
      this.again(key.values, key.meaning === 'env' ? 'variables' : 'array', key);
    else if (byte !== QUOTE) cursor.skipWord();
    else if (key.meaning === 'secret' || key.meaning === 'key') this.secret();
    else this.string();
  }

  private secret(): void {
    const { cursor } = this;
    const start = cursor.at;
    cursor.skipString();
    // An empty one says that there is none.
    if (cursor.at - start > 2) this.replace(start, cursor.at, REDACTED_TEXT);
  }

  /** What came before is not gone through again. */
  private again(memory: RememberedValues, form: Form, key: KnownKey): void {
    const { cursor, out } = this;
    const start = cursor.at;
    const found = memory.find(this.view, start);
    if (found !== undefined) {
      cursor.at = start + found.length;
      if (found.kept !== undefined) this.replace(start, cursor.at, found.kept);
      return;
    }
    // Where its text begins once all before it is written.
    const place = out.length + start - this.done;
    this.whole(form, key);
    const end = cursor.at;
    const isChanged = this.done > start;
    if (isChanged) this.flush(end);
    memory.add(cursor.bytes, start, end, isChanged ? out.view().subarray(place) : undefined);
  }

  private whole(form: Form, key: KnownKey): void {
    switch (form) {
      case 'object':
        this.plainObject();
        return;
      case 'array':
        this.array(key);
        return;
      case 'variables':
        this.variables(key);
        return;
      case 'variable':
        this.variable();
        return;
      case 'named':
        this.namedObject();
    }
  }

  private plainObject(): void {
    const { cursor } = this;
    if (!cursor.enterObject()) return;
    do this.member(this.key());
    while (cursor.nextMember());
  }

  /** Of a list in which `key` names a label or a taint. */
  private namedObject(): void {
    const { cursor } = this;
    if (!cursor.enterObject()) return;
    do {
      const key = this.key();
      if (key.meaning === 'key' && cursor.peek() === QUOTE) this.string();
      else this.member(key);
    } while (cursor.nextMember());
  }

  private array(key: KnownKey | undefined): void {
    const { cursor } = this;
    if (!cursor.enterArray()) return;
    const form = key?.meaning === 'named-by-key' ? 'named' : 'object';
    do {
      if (key !== undefined && cursor.peek() === OPEN_BRACE) this.again(key.elements, form, key);
      else this.value();
    } while (cursor.nextElement());
  }

  /** Of no key. */
  private value(): void {
    const { cursor } = this;
    const byte = cursor.peek();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_BRACE) this.plainObject();
    else if (byte === OPEN_BRACKET) this.array(undefined);
    else cursor.skipWord();
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
    if (rest !== text) this.replace(start, end, Buffer.from(JSON.stringify(rest)));
  }

  // ------------------------------------------------------------ environment variables

  private variables(key: KnownKey): void {
    const { cursor } = this;
    if (!cursor.enterArray()) return;
    do {
      if (cursor.peek() === OPEN_BRACE) this.again(key.elements, 'variable', key);
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
      const key = this.key();
      if (key.meaning !== 'value' || isRead) this.member(key);
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
      const { meaning } = this.key();
      const start = cursor.at;
      const isText = cursor.peek() === QUOTE;
      cursor.skipValue();
      if (meaning === 'name' && isText) name = cursor.text(start + 1, cursor.at - 1);
    } while (cursor.nextMember());
    return name;
  }

  // ------------------------------------------------------------ what is written

  /** The key at the cursor, which then stands at the value. */
  private key(): KnownKey {
    const { cursor } = this;
    const { bytes } = cursor;
    if (cursor.peek() !== QUOTE) throw cursor.unexpected();
    const key = this.keys.read(bytes, cursor.at + 1);
    if (key === undefined) throw cursor.unexpected(bytes.length);
    cursor.at = this.keys.end;
    cursor.expect(COLON);
    cursor.peek();
    return key;
  }

  private replace(start: number, end: number, bytes: Buffer): void {
    this.flush(start);
    this.out.copy(bytes, 0, bytes.length);
    this.done = end;
  }

  private flush(to: number): void {
    this.out.copy(this.cursor.bytes, this.done, to);
    this.done = to;
  }
}
