/** A failure as it was seen, with what was behind it in the causal record; names come elsewhere. */
import type { ObjectReference } from '../base/source.ts';
import type { OccurrenceId } from './occurrence.ts';

export interface ObservedFailure {
  readonly subject: ObjectReference & { readonly node?: string };
  readonly symptom: string;
  readonly message: string;
  /** Seconds since the start. */
  readonly at: number;
  /** Seconds; undefined while it lasts. */
  readonly until?: number;
  readonly because: readonly OccurrenceId[];
}
