/** One answer for all that ask within a second: the nodes of a wave ask the same at the same moment. */
import type { ClockPort } from '../../ports/index.ts';

const FRESH_MS = 1_000;

export class SharedLook<T> {
  private readonly clock: ClockPort;
  private readonly read: () => Promise<T>;
  private last: { readonly at: number; readonly answer: Promise<T> } | undefined;

  constructor(clock: ClockPort, read: () => Promise<T>) {
    this.clock = clock;
    this.read = read;
  }

  /** A failure is everybody's who waits for it, and nobody's after that. */
  look(): Promise<T> {
    const at = this.clock.now();
    if (this.last !== undefined && at - this.last.at < FRESH_MS) return this.last.answer;
    const answer = this.read();
    this.last = { at, answer };
    answer.catch(() => (this.last = undefined));
    return answer;
  }
}
