/** Bytes that are put together piece by piece and taken away in large pieces. */

const FIRST_BYTES = 256 * 1024;

export class TextBuffer {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private used = 0;

  get length(): number {
    return this.used;
  }

  copy(from: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.reserve(end - start);
    this.used += from.copy(this.bytes, this.used, start, end);
  }

  write(text: string): void {
    // No character takes more than three bytes of UTF-8 per unit of UTF-16.
    this.reserve(text.length * 3);
    this.used += this.bytes.write(text, this.used);
  }

  /** What was put in so far; the buffer is empty then, and does not use these bytes again. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.used);
    this.bytes = Buffer.allocUnsafe(Math.max(FIRST_BYTES, this.bytes.length));
    this.used = 0;
    return taken;
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.used + more));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}
