/** What a run says while it runs: to who watches, and to its journal, with the seconds since it began. */
import type { Step } from '../../model/plan.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { ClockPort } from '../../ports/index.ts';
import type { RunOptions } from './run-options.ts';

export class Telling {
  private readonly clock: ClockPort;
  private readonly listeners: Pick<RunOptions, 'onEvent' | 'journal'>;
  private readonly startedAt: number;

  constructor(clock: ClockPort, listeners: Pick<RunOptions, 'onEvent' | 'journal'>) {
    this.clock = clock;
    this.listeners = listeners;
    this.startedAt = clock.now();
  }

  /** Since the run began. */
  seconds(): number {
    return (this.clock.now() - this.startedAt) / 1000;
  }

  async tell(event: RunEvent): Promise<void> {
    this.listeners.onEvent?.(event);
    await this.listeners.journal?.write(event);
  }

  step(
    { id, phase, title, nodes }: Step,
    state: 'started' | 'done' | 'already-done' | 'failed',
    message?: string,
  ): Promise<void> {
    return this.tell({
      type: 'step',
      at: this.seconds(),
      step: id,
      phase,
      state,
      title,
      nodes,
      ...(message === undefined ? {} : { message }),
    });
  }

  /** To who watches only. */
  say(message: string, node?: string): void {
    const more = node === undefined ? {} : { node };
    this.listeners.onEvent?.({ type: 'health', at: this.seconds(), message, ...more });
  }
}
