/** Bytes that are put together piece by piece and taken away in large pieces; the memory is used again. */

const FIRST_BYTES = 256 * 1024;
/** Up to here a call out of JavaScript takes longer than a loop. */
const FEW_BYTES = 160;

export class TextBuffer {
  private bytes = Buffer.allocUnsafe(FIRST_BYTES);
  private used = 0;

  get length(): number {
    return this.used;
  }

  copy(from: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.reserve(end - start);
    if (end - start > FEW_BYTES) {
      this.used += from.copy(this.bytes, this.used, start, end);
      return;
    }
    const { bytes } = this;
    let { used } = this;
    for (let at = start; at < end; at += 1) {
      bytes[used] = from[at] ?? 0;
      used += 1;
    }
    this.used = used;
  }

  write(text: string): void {
    // No character takes more than three bytes of UTF-8 per unit of UTF-16.
    this.reserve(text.length * 3);
    this.used += this.bytes.write(text, this.used);
  }

  /** What was put in so far; good until the buffer is written to again. */
  view(): Buffer {
    return this.bytes.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
  }

  private reserve(more: number): void {
    if (this.used + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.used + more));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}
