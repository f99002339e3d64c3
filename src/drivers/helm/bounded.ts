/** A deadline for a call of the port, which may be several runs of Helm, joined to the caller's signal. */
import { RegaugeError } from '../../base/errors.ts';
import type { CallOptions } from '../../ports/index.ts';

/** What the runs of one call share. */
export interface Bounds {
  readonly signal: AbortSignal;
  /** Milliseconds left. */
  left(): number;
}

export async function bounded<T>(
  { signal, deadlineMs }: CallOptions,
  defaultMs: number,
  work: (bounds: Bounds) => Promise<T>,
): Promise<T> {
  const allowedMs = deadlineMs ?? defaultMs;
  const end = performance.now() + allowedMs;
  const controller = new AbortController();
  const onAbort = (): void =>
    controller.abort(
      signal?.reason instanceof RegaugeError
        ? signal.reason
        : new RegaugeError('interrupted', 'Helm was interrupted before it had ended'),
    );
  const timer = setTimeout(() => {
    const seconds = Math.round(allowedMs / 100) / 10;
    controller.abort(
      new RegaugeError('timeout', `Helm did not end within the ${seconds} s it was given`),
    );
  }, allowedMs);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await work({ signal: controller.signal, left: () => end - performance.now() });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
