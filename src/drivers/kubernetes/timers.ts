/** Time and chance as the adapter uses them, so that a test can let a minute pass at once. */
import { RegaugeError } from '../../base/errors.ts';

export interface Timers {
  /** Milliseconds, monotonic. */
  now(): number;
  /** For waiting: runs the action after the delay; returns the way out. */
  after(milliseconds: number, action: () => void): () => void;
  /** For what should not be needed, deadlines and silences; as `after`, and keeps no process alive. */
  guard(milliseconds: number, action: () => void): () => void;
  /** 0 ≤ x < 1, for jitter. */
  random(): number;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  guard: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Rejects with `interrupted` when the signal says so. */
export function sleep(timers: Timers, milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(interrupted(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(interrupted(signal));
    };
    const cancel = timers.after(milliseconds, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The reason of an abort where it is one of ours (a deadline), else that somebody interrupted. */
export function interrupted(signal: AbortSignal | undefined): RegaugeError {
  const reason: unknown = signal?.reason;
  if (reason instanceof RegaugeError) return reason;
  return new RegaugeError('interrupted', 'interrupted before the Kubernetes API had answered');
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds left; infinite without a deadline. */
  left(): number;
  /** To be called when the work is done. */
  clear(): void;
}

/** The caller's signal and deadline as one signal. */
export function deadlineOf(
  timers: Timers,
  { signal, deadlineMs }: { readonly signal?: AbortSignal; readonly deadlineMs?: number },
  what: string,
): Deadline {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(interrupted(signal));
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const ends = deadlineMs === undefined ? Infinity : timers.now() + deadlineMs;
  const cancel =
    deadlineMs === undefined
      ? () => undefined
      : timers.guard(deadlineMs, () => {
          const message = `${what}: no answer within the ${showDuration(deadlineMs)} it was given`;
          controller.abort(new RegaugeError('timeout', message));
        });
  return {
    signal: controller.signal,
    left: () => ends - timers.now(),
    clear: () => {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

export function showDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  return `${Math.round(milliseconds / 100) / 10} s`;
}
