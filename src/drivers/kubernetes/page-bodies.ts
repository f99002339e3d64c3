/** The bodies of a list's pages, read into memory that later pages use again. */

/** The begin of a body that is too large to be held. */
export interface LargeBody {
  readonly first: Buffer;
  readonly rest: AsyncIterator<Buffer>;
}

const FIRST_BYTES = 1024 * 1024;

export class PageBodies {
  private readonly spare: Buffer[] = [];

  /** The whole body; good until it is given back. */
  async read(body: AsyncIterable<Buffer>, bytesMax: number): Promise<Buffer | LargeBody> {
    const rest = body[Symbol.asyncIterator]();
    let memory = this.spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    let bytes = 0;
    for (;;) {
      const next = await rest.next();
      if (next.done === true) return memory.subarray(0, bytes);
      const { value } = next;
      if (bytes + value.length > memory.length) memory = larger(memory, bytes, value.length);
      bytes += value.copy(memory, bytes);
      if (bytes > bytesMax) return { first: memory.subarray(0, bytes), rest };
    }
  }

  giveBack({ buffer, byteOffset }: Uint8Array): void {
    // What is no whole memory of this kind is somebody else's.
    if (byteOffset === 0 && buffer.byteLength >= FIRST_BYTES && this.spare.length < 2)
      this.spare.push(Buffer.from(buffer));
  }
}

function larger(memory: Buffer, bytes: number, more: number): Buffer {
  const grown = Buffer.allocUnsafeSlow(Math.max(memory.length * 2, bytes + more));
  memory.copy(grown, 0, 0, bytes);
  return grown;
}
