/**
 * The twin's kernel: virtual time, seeded randomness, an event queue, and the causal record. It
 * knows nothing of Kubernetes. Nothing in the twin acts but through an action scheduled here, so
 * same seed, same run.
 */
import { assert } from '../../base/assert.ts';
import { Random } from '../../base/random.ts';
import type { ObjectReference } from '../../base/source.ts';
import type { Occurrence, OccurrenceId } from '../../model/occurrence.ts';
import type { OccurrenceKind } from '../../model/occurrence-kind.ts';
import { EventQueue, QueuedEvent } from './event-queue.ts';

export interface OccurrenceDetails {
  readonly node?: string;
  readonly subject?: ObjectReference;
  readonly message: string;
  /** Causes besides those of the action that is running. */
  readonly because?: readonly OccurrenceId[];
}

export interface Timer {
  cancel(): void;
}

const NO_CAUSES: readonly OccurrenceId[] = [];

export class Kernel {
  readonly random: Random;
  readonly occurrences: Occurrence[] = [];
  private readonly queue = new EventQueue();
  private time = 0;
  private order = 0;
  private currentCauses: readonly OccurrenceId[] = NO_CAUSES;
  private answered = false;
  readonly seed: number;
  /** What the clock of the wall shows at virtual zero (milliseconds since 1970). */
  readonly epochMs: number;

  constructor(seed: number, epochMs = 0) {
    this.seed = seed;
    this.epochMs = epochMs;
    this.random = new Random(seed);
  }

  /** Milliseconds of virtual time since the start. */
  now(): number {
    return this.time;
  }

  /** What the running action happens because of. */
  get causes(): readonly OccurrenceId[] {
    return this.currentCauses;
  }

  /** Runs the action after the delay (milliseconds), with the causes that hold now. */
  after(delay: number, action: () => void): Timer {
    assert(delay >= 0 && Number.isFinite(delay), `delay must be finite and not negative: ${delay}`);
    this.order += 1;
    // The event is its own timer: there are hundreds of thousands of them.
    const event = new QueuedEvent(this.time + delay, this.order, action, this.currentCauses);
    this.queue.push(event);
    return event;
  }

  /** Runs the action now, with these causes instead of the current ones. */
  because<T>(causes: readonly OccurrenceId[], action: () => T): T {
    const before = this.currentCauses;
    this.currentCauses = causes;
    try {
      return action();
    } finally {
      this.currentCauses = before;
    }
  }

  /** As `because`, for one of many listeners: no closure is made for each. */
  tell<T>(causes: readonly OccurrenceId[], listener: (news: T) => void, news: T): void {
    const before = this.currentCauses;
    this.currentCauses = causes;
    try {
      listener(news);
    } finally {
      this.currentCauses = before;
    }
  }

  /** Records what happened, and makes it the cause of whatever the running action does next. */
  occur(kind: OccurrenceKind, details: OccurrenceDetails): OccurrenceId {
    const id = this.occurrences.length + 1;
    const because = mergeCauses(this.currentCauses, details.because);
    const { node, subject, message } = details;
    const at = this.time;
    this.occurrences.push(
      subject === undefined
        ? node === undefined
          ? { id, at, kind, message, because }
          : { id, at, kind, node, message, because }
        : node === undefined
          ? { id, at, kind, subject, message, because }
          : { id, at, kind, node, subject, message, because },
    );
    this.currentCauses = [id];
    return id;
  }

  occurrence(id: OccurrenceId): Occurrence {
    const found = this.occurrences[id - 1];
    assert(found !== undefined, `no occurrence ${id}`);
    return found;
  }

  /** A port call: answered after the delay, in virtual time. Rejects with what `action` throws. */
  answer<T>(delay: number, action: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.after(delay, () => {
        this.answered = true;
        try {
          resolve(action());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  /** For an answer that comes by callback; call `settle` from a later action. */
  deferred<T>(): {
    readonly promise: Promise<T>;
    resolve(value: T): void;
    reject(error: Error): void;
  } {
    const { promise, resolve, reject } = withResolvers<T>();
    return {
      promise,
      resolve: (value) => {
        this.answered = true;
        resolve(value);
      },
      reject: (error) => {
        this.answered = true;
        reject(error);
      },
    };
  }

  /** Runs the next action; false when nothing is scheduled. */
  step(): boolean {
    for (;;) {
      const event = this.queue.pop();
      if (event === undefined) return false;
      if (event.cancelled) continue;
      this.time = event.at;
      this.run(event);
      return true;
    }
  }

  private run({ action, causes }: QueuedEvent): void {
    const before = this.currentCauses;
    this.currentCauses = causes;
    try {
      action();
    } finally {
      this.currentCauses = before;
    }
  }

  /** When the next action is due (virtual milliseconds); undefined when nothing is scheduled. */
  nextAt(): number | undefined {
    for (let next = this.queue.peek(); next?.cancelled === true; next = this.queue.peek()) {
      this.queue.pop();
    }
    return this.queue.peek()?.at;
  }

  /** Runs everything scheduled up to the given time (milliseconds), and moves the clock there. */
  runUntil(time: number): void {
    for (
      let next = this.queue.peek();
      next !== undefined && next.at <= time;
      next = this.queue.peek()
    ) {
      this.step();
    }
    this.time = Math.max(this.time, time);
  }

  /**
   * Drives virtual time until the given work, which waits on answers of this kernel, is through.
   * Between answers, actions run without yielding.
   */
  async drive<T>(work: () => Promise<T>): Promise<T> {
    const state = { finished: false };
    const result = work().finally(() => (state.finished = true));
    // Keeps an early rejection from counting as unhandled while actions still run.
    result.catch(() => undefined);
    await new Promise<void>((resolve, reject) => {
      let turns = 0;
      const proceed = (): void => {
        if (state.finished) {
          resolve();
          return;
        }
        try {
          this.runUntilAnswered();
        } catch (error) {
          reject(error as Error);
          return;
        }
        turns += 1;
        if (turns % TURNS_WITHOUT_OUTSIDE === 0) setImmediate(proceed);
        else whenMicrotasksAreThrough(proceed);
      };
      whenMicrotasksAreThrough(proceed);
    });
    return result;
  }

  /**
   * And through the instant of the answer: whoever waits for others that come at the same time is
   * let on once for all of them. What it then asks for takes time, so nothing of this instant is missed.
   */
  private runUntilAnswered(): void {
    this.answered = false;
    while (!this.answered)
      assert(this.step(), 'the twin has nothing left to do, and the engine still waits');
    while (this.nextAt() === this.time) this.step();
  }
}

function mergeCauses(
  current: readonly OccurrenceId[],
  extra: readonly OccurrenceId[] | undefined,
): readonly OccurrenceId[] {
  if (extra === undefined || extra.length === 0) return current;
  if (current.length === 0) return extra;
  return [...new Set([...extra, ...current])];
}

/** Answers in a row before the event loop is let through: a turn of it costs system calls. */
const TURNS_WITHOUT_OUTSIDE = 256;

const SETTLED = Promise.resolve();

/** A tick that a microtask asks for comes when no microtask is left, also of those still to be made. */
function whenMicrotasksAreThrough(action: () => void): void {
  void SETTLED.then(() => process.nextTick(action));
}

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
