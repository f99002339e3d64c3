/**
 * The read-write lock of go-cni in virtual time. Readers (Status, ADD, DEL) run side by side; a
 * reload waits for those that run, and whoever comes after it waits for the reload, as Go's RWMutex
 * has it. Where the version does not hold the lock during ADD, nobody waits.
 */
import type { Kernel, Timer } from '../kernel/kernel.ts';
import { type Run, Waiting } from './run.ts';

/** A running operation; ending it kills the process it waits for. */
export interface Operation {
  kill(): void;
}

const ENDED: Operation = { kill: () => undefined };

export class ReloadLock {
  private readonly kernel: Kernel;
  private readonly holds: boolean;
  private readers = 0;
  private pendingReload: (() => void) | undefined;
  private waiting: (() => void)[] = [];
  private generation = 0;

  constructor(kernel: Kernel, holds: boolean) {
    this.kernel = kernel;
    this.holds = holds;
  }

  /** Whether a new reader would have to wait now. */
  get blocked(): boolean {
    return this.pendingReload !== undefined;
  }

  read<T>(start: () => Run<T>, done: (answer: T) => void): Operation {
    if (this.pendingReload === undefined) return this.begin(start, done);
    let operation = ENDED;
    let killed = false;
    const { causes } = this.kernel;
    this.waiting.push(() => {
      if (!killed) this.kernel.because(causes, () => (operation = this.begin(start, done)));
    });
    return {
      kill: () => {
        killed = true;
        operation.kill();
      },
    };
  }

  write(reload: () => void): void {
    if (!this.holds || this.readers === 0) reload();
    else this.pendingReload = reload;
  }

  /** The process died: nothing that ran will answer. */
  reset(): void {
    this.generation += 1;
    this.readers = 0;
    this.pendingReload = undefined;
    this.waiting = [];
  }

  private begin<T>(start: () => Run<T>, done: (answer: T) => void): Operation {
    const run = start();
    if (!(run instanceof Waiting)) {
      done(run);
      return ENDED;
    }
    this.readers += 1;
    return this.follow(run, done);
  }

  private follow<T>(first: Waiting<T>, done: (answer: T) => void): Operation {
    const { generation } = this;
    let current = first;
    let timer: Timer;
    const proceed = (killed: boolean): void => {
      if (generation !== this.generation) return;
      const next = current.resume(killed);
      if (next instanceof Waiting) {
        current = next;
        timer = this.kernel.after(next.ms, () => proceed(false));
        return;
      }
      this.leave();
      done(next);
    };
    timer = this.kernel.after(first.ms, () => proceed(false));
    return {
      kill: () => {
        timer.cancel();
        proceed(true);
      },
    };
  }

  private leave(): void {
    this.readers -= 1;
    const reload = this.pendingReload;
    if (this.readers > 0 || reload === undefined) return;
    this.pendingReload = undefined;
    reload();
    const { waiting } = this;
    this.waiting = [];
    for (const start of waiting) start();
  }
}
