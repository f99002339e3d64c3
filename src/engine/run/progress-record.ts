/**
 * Keeps the record of a run in the cluster up to date while it runs, a few times a second at most and
 * never in its way: a record that cannot be written holds nothing up, since nothing is decided by it.
 */
import type { RunEvent } from '../../model/run-event.ts';
import type { ClockPort, KubernetesPort } from '../../ports/index.ts';
import { type RunRecord, writeRecord } from './run-record.ts';

/** Between two writes (milliseconds). */
const WRITE_MS = 2_000;

export class ProgressRecord {
  private current: RunRecord;
  private dirty = false;
  private writing: Promise<void> | undefined;
  private readonly done = new Set<string>();
  private readonly running = new Set<string>();
  private readonly kubernetes: KubernetesPort;
  private readonly clock: ClockPort;
  private readonly wallTime: () => number;

  constructor(
    first: RunRecord,
    {
      kubernetes,
      clock,
      wallTime,
    }: {
      readonly kubernetes: KubernetesPort;
      readonly clock: ClockPort;
      readonly wallTime: () => number;
    },
  ) {
    this.current = first;
    this.kubernetes = kubernetes;
    this.clock = clock;
    this.wallTime = wallTime;
  }

  /** Now, and with a failure if it fails: before anything is changed. */
  async write(change: Partial<RunRecord> = {}): Promise<void> {
    this.current = { ...this.current, ...change, updatedAt: this.now() };
    await writeRecord(this.kubernetes, this.current);
  }

  onEvent(event: RunEvent): void {
    if (event.type !== 'step') return;
    const { step, state, phase } = event;
    if (state === 'started') this.running.add(step);
    else this.running.delete(step);
    if (state === 'done' || state === 'already-done') this.done.add(step);
    this.current = {
      ...this.current,
      phase: state === 'started' ? phase : (this.current.phase ?? phase),
      steps: [...this.running].slice(0, STEPS_NAMED),
      done: this.done.size,
      updatedAt: this.now(),
    };
    this.dirty = true;
    this.writing ??= this.keepWriting().finally(() => (this.writing = undefined));
  }

  /** The last word, tried once: it is for people, and the cluster itself says the same. */
  async finish(change: Partial<RunRecord>): Promise<void> {
    this.dirty = false;
    await this.writing?.catch(() => undefined);
    await this.write(change).catch(() => undefined);
  }

  private async keepWriting(): Promise<void> {
    while (this.dirty) {
      this.dirty = false;
      await writeRecord(this.kubernetes, this.current).catch(() => undefined);
      await this.clock.sleep(WRITE_MS).catch(() => (this.dirty = false));
    }
  }

  private now(): string {
    return new Date(this.wallTime()).toISOString();
  }
}

const STEPS_NAMED = 20;
