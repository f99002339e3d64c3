/**
 * Texts of large JSON files, read from disk when somebody asks. One is kept at a time: whoever reads
 * a snapshot goes through its files one after the other, and keeps what it makes of them.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { isGzip, isTar, isZip } from './archive-marks.ts';
import { decodeText } from './decode.ts';
import { readError } from './read-error.ts';
import { looksLikeJson } from './text-marks.ts';

const LARGE_BYTES = 4 * 2 ** 20;
const HEAD_BYTES = 512;

export class LargeTexts {
  private last: { readonly path: string; readonly text: string } | undefined;
  /** Of one file after the other: fresh memory costs more than the copy out of the page cache. */
  private bytes = Buffer.alloc(0);

  /** Whether the file is one for here: large, and JSON by its first bytes. */
  holds(path: string, size: number): boolean {
    if (size < LARGE_BYTES) return false;
    const head = guarded(path, () => headOf(path));
    return !isGzip(head) && !isTar(head) && !isZip(head) && looksLikeJson(head);
  }

  /** Throws `bad-input` when it cannot be read any more, or is no text. */
  textOf(path: string): string {
    if (this.last?.path === path) return this.last.text;
    this.last = undefined;
    const text = decodeText(
      guarded(path, () => this.read(path)),
      path,
    );
    this.last = { path, text };
    return text;
  }

  /** Good until the next file is read. */
  private read(path: string): Buffer {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      if (this.bytes.length < size) this.bytes = Buffer.allocUnsafeSlow(size);
      let length = 0;
      while (length < size) {
        const more = readSync(file, this.bytes, length, size - length, length);
        if (more === 0) break;
        length += more;
      }
      return this.bytes.subarray(0, length);
    } finally {
      closeSync(file);
    }
  }
}

function headOf(path: string): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head, 0, HEAD_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw readError(file, error);
  }
}
