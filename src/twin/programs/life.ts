/** The time a process lives: what it set up is undone, and its timers do nothing, once it ended. */
import type { Kernel, Timer } from '../kernel/kernel.ts';
import type { Process } from '../world.ts';

export type StopReason = 'terminated' | 'power-lost';

export class Life {
  private readonly kernel: Kernel;
  /** Made when first needed: most of the many ordinary containers have neither. */
  private timers: Set<Timer> | undefined;
  private endings: ((reason: StopReason | 'exited') => void)[] | undefined;
  private over = false;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get ended(): boolean {
    return this.over;
  }

  after(milliseconds: number, action: () => void): Timer {
    const timer = this.kernel.after(milliseconds, () => {
      this.timers?.delete(timer);
      if (!this.over) action();
    });
    this.timers ??= new Set();
    this.timers.add(timer);
    return timer;
  }

  onEnd(action: (reason: StopReason | 'exited') => void): void {
    this.endings ??= [];
    this.endings.push(action);
  }

  end(reason: StopReason | 'exited'): void {
    if (this.over) return;
    this.over = true;
    for (const timer of this.timers ?? []) timer.cancel();
    this.timers = undefined;
    for (const action of this.endings ?? []) action(reason);
  }

  asProcess(): Process {
    return { stop: (reason) => this.end(reason) };
  }
}
