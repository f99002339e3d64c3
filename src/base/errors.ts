/**
 * Errors that a person is meant to read. A programmer's mistake is an `AssertionError`; what the
 * world or the user can get wrong is a `RegaugeError` with a stable code. Codes are grouped by what
 * the program does about them: the exit status.
 */
import type { Source } from './source.ts';

/** Exit status per contract: 2 usage or bad input, 3 cannot reach or not allowed, 1 everything else. */
export const EXIT_STATUS = {
  'bad-input': 2,
  usage: 2,
  unreachable: 3,
  /** It answers, but its certificate does not prove who it is: waiting will not help. */
  untrusted: 3,
  /** Who we are is not known (401): not the same as not being allowed. */
  unauthenticated: 3,
  forbidden: 3,
  /** The server asked for patience (429) for longer than there was. */
  throttled: 3,
  refused: 1,
  conflict: 1,
  'not-found': 1,
  timeout: 1,
  /** The server no longer knows the state that was asked for (410). */
  expired: 1,
  /** The person, or the caller's signal, ended it. */
  interrupted: 130,
} as const;

export type ErrorCode = keyof typeof EXIT_STATUS;

export interface ErrorDetails {
  /** What the reader can do about it. */
  readonly hint?: string;
  readonly source?: Source;
  readonly cause?: unknown;
}

/** The mark of a RegaugeError, whichever bundle of the program made it: each has its own class. */
const MARK = Symbol.for('regauge.dev/error');

export class RegaugeError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && MARK in value;
  }

  readonly [MARK] = true;
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly source: Source | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.name = 'RegaugeError';
    this.code = code;
    this.hint = details.hint;
    this.source = details.source;
  }
}

/** Bad input has one clear error with its position (issue 1, "Facts"). */
export function badInput(message: string, source: Source, hint?: string): RegaugeError {
  return new RegaugeError('bad-input', message, hint === undefined ? { source } : { source, hint });
}
