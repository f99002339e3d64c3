/**
 * The values that came last at one kind of place, with what was kept of them: pods of one Deployment
 * follow each other in a list, and most of one is byte for byte what stood in the one before. Only
 * objects and arrays: their text says itself where it ends.
 */

export interface Remembered {
  /** Bytes of the value. */
  readonly length: number;
  /** What is kept of it; undefined where that is all of it. */
  readonly kept: Buffer | undefined;
}

interface Slot extends Remembered {
  memory: Buffer;
  view: DataView;
  length: number;
  kept: Buffer | undefined;
}

const LENGTH_MIN = 24;
const LENGTH_MAX = 16 * 1024;
/** Misses in a row after which it is not tried for a while, and for how many values. */
const MISSES_MAX = 16;
const REST = 4_096;

export class RememberedValues {
  private readonly slots: Slot[] = [];
  private readonly slotsMax: number;
  private next = 0;
  private misses = 0;
  private resting = 0;

  constructor(slotsMax: number) {
    this.slotsMax = slotsMax;
  }

  /** The value that stands at `at`, where it came before. */
  find(view: DataView, at: number): Remembered | undefined {
    if (this.resting > 0) {
      this.resting -= 1;
      return undefined;
    }
    for (const slot of this.slots) {
      if (!isAt(view, at, slot)) continue;
      this.misses = 0;
      return slot;
    }
    this.misses += 1;
    if (this.misses > MISSES_MAX) {
      this.misses = 0;
      this.resting = REST;
    }
    return undefined;
  }

  /** Copies what it is given. */
  add(bytes: Buffer, start: number, end: number, kept: Buffer | undefined): void {
    const length = end - start;
    if (this.resting > 0 || length < LENGTH_MIN || length > LENGTH_MAX) return;
    const slot = this.slotFor(length);
    bytes.copy(slot.memory, 0, start, end);
    slot.length = length;
    slot.kept = kept === undefined ? undefined : Buffer.from(kept);
  }

  private slotFor(length: number): Slot {
    let slot = this.slots[this.next];
    if (slot === undefined)
      this.slots.push((slot = { ...memoryOf(length), length, kept: undefined }));
    else if (slot.memory.length < length) Object.assign(slot, memoryOf(length));
    this.next = (this.next + 1) % this.slotsMax;
    return slot;
  }
}

function memoryOf(length: number): Pick<Slot, 'memory' | 'view'> {
  const memory = Buffer.allocUnsafeSlow(length);
  return { memory, view: new DataView(memory.buffer) };
}

/** Four bytes at a time; a copy and a native comparison would cost more than they save. */
function isAt(view: DataView, at: number, slot: Slot): boolean {
  const { length, view: own } = slot;
  if (at + length > view.byteLength) return false;
  const whole = length & ~3;
  for (let index = 0; index < whole; index += 4) {
    if (view.getInt32(at + index, true) !== own.getInt32(index, true)) return false;
  }
  for (let index = whole; index < length; index += 1) {
    if (view.getUint8(at + index) !== own.getUint8(index)) return false;
  }
  return true;
}
