/**
 * Whether a failed request is made again, and when. What the server did not take on (429, no
 * connection) may always be; what it may have done only where doing it twice is doing it once. Never
 * earlier than the server asked, never beyond the patience, with jitter so that clients do not march.
 */
import type { RegaugeError } from '../../base/errors.ts';
import type { StatusError } from './status.ts';
import type { Timers } from './timers.ts';

export type Failure =
  | {
      readonly kind: 'connection';
      readonly error: RegaugeError;
      readonly wasSent: boolean;
      readonly isPassing: boolean;
    }
  | {
      readonly kind: 'refusal';
      readonly error: StatusError;
      readonly retryAfterMs: number | undefined;
    }
  /** Deadlines, interruptions, credentials: not for the connection to mend. */
  | { readonly kind: 'other'; readonly error: RegaugeError };

export interface RetryState {
  /** Made so far. */
  readonly attempts: number;
  readonly spentMs: number;
  readonly hasAnswered: boolean;
  readonly patience: Patience;
}

export interface Patience {
  /** For a server that asks for it (429, 503). */
  readonly askedMs: number;
  /** For connections that fail, and errors of the server. */
  readonly failingMs: number;
  /** Attempts at an address that never answered. */
  readonly firstAttempts: number;
}

export const PATIENCE: Patience = { askedMs: 150_000, failingMs: 60_000, firstAttempts: 3 };

const FIRST_MS = 250;
const LONGEST_MS = 10_000;

/** Milliseconds to wait; undefined when the failure stands. */
export function waitBefore(
  request: { readonly method: string; readonly isRepeatable: boolean },
  failure: Failure,
  state: RetryState,
  timers: Pick<Timers, 'random'>,
): number | undefined {
  const patience = patienceFor(request, failure, state);
  if (patience === undefined) return undefined;
  const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(state.attempts - 1, 10));
  const jittered = backOff * (0.5 + timers.random() / 2);
  const asked = failure.kind === 'refusal' ? (failure.retryAfterMs ?? 0) : 0;
  const wait = asked > jittered ? asked + jittered / 4 : jittered;
  return state.spentMs + wait > patience ? undefined : wait;
}

function patienceFor(
  request: { readonly method: string; readonly isRepeatable: boolean },
  failure: Failure,
  { attempts, hasAnswered, patience }: RetryState,
): number | undefined {
  if (failure.kind === 'other') return undefined;
  if (failure.kind === 'connection') {
    if (!failure.isPassing || (failure.wasSent && !request.isRepeatable)) return undefined;
    if (!hasAnswered && attempts >= patience.firstAttempts) return undefined;
    return patience.failingMs;
  }
  const { httpStatus } = failure.error;
  if (httpStatus === 429) return patience.askedMs;
  if (!request.isRepeatable) return undefined;
  if (httpStatus === 503) return patience.askedMs;
  if (httpStatus === 502 || httpStatus === 504) return patience.failingMs;
  // A read is judged by nobody: an internal error of it is etcd's, and passes.
  const isRead = request.method === 'GET' || failure.retryAfterMs !== undefined;
  return httpStatus === 500 && isRead ? patience.failingMs : undefined;
}
