/**
 * Tells streams that are open that something happened in the twin. The kernel keeps a record and calls
 * nobody, so one timer looks at its length while anybody listens.
 */
import type { World } from '../../world.ts';

const LOOK_MS = 100;

export class News {
  private readonly world: World;
  private readonly waiting = new Set<() => void>();
  private seen: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(world: World) {
    this.world = world;
    this.seen = world.kernel.occurrences.length;
  }

  /** Resolves after the next occurrence, or when the signal ends the waiting. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) {
        resolve();
        return;
      }
      signal.addEventListener('abort', done);
      this.waiting.add(done);
      this.timer ??= setInterval(() => this.look(), LOOK_MS);
    });
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    for (const done of this.waiting) done();
  }

  private look(): void {
    const { length } = this.world.kernel.occurrences;
    if (length === this.seen) return;
    this.seen = length;
    for (const done of this.waiting) done();
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
