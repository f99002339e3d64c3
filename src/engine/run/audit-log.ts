/**
 * The audit log as the engine writes it: what is about to be changed, on disk before it is sent, and
 * what came of it. Where it lies is the caller's business.
 */
import type { RunEvent } from '../../model/run-event.ts';
import type { CallSummary } from './call-summary.ts';

export interface Intent extends CallSummary {
  /** Fencing token of the lease under which it is sent. */
  readonly token: number;
  readonly step?: string;
}

/** `done`, `not-sent`, `failed`, or the code of the error. */
export type NoteOutcome = (outcome: string, message?: string) => void;

export type AuditEntry =
  | ({ readonly type: 'intent'; readonly n: number } & Intent)
  | {
      readonly type: 'outcome';
      /** Of the intent. */
      readonly n: number;
      readonly outcome: string;
      readonly message?: string;
    }
  | { readonly type: 'event'; readonly event: RunEvent };

export interface AuditSink {
  /** In order. Resolves when the entry, and all before it, cannot be lost any more. */
  append(entry: AuditEntry, isUrgent: boolean): Promise<void>;
}

export interface AuditLog {
  /** Resolves when the intent cannot be lost; call what is returned with the outcome. */
  intent(intent: Intent): Promise<NoteOutcome>;
  event(event: RunEvent): void;
}

export function auditLog(sink: AuditSink): AuditLog {
  let count = 0;
  const note = (entry: AuditEntry): void => {
    // A log that cannot be written any more is told by the next intent, which waits for it.
    sink.append(entry, false).catch(() => undefined);
  };
  return {
    intent: async (intent) => {
      count += 1;
      const n = count;
      await sink.append({ type: 'intent', n, ...intent }, true);
      return (outcome, message) =>
        note({ type: 'outcome', n, outcome, ...(message === undefined ? {} : { message }) });
    },
    event: (event) => note({ type: 'event', event }),
  };
}
