/**
 * Something that happened on the twin, and what it happened because of. Occurrences form the causal
 * graph that "why is this pod stuck?" walks up. A kind names a mechanism (`cni.add-failed`), never
 * a verdict: whether it is harm, and which hazard it shows, is said elsewhere.
 */
import type { ObjectReference } from '../base/source.ts';
import type { OccurrenceKind } from './occurrence-kind.ts';

export type OccurrenceId = number;

export interface Occurrence {
  readonly id: OccurrenceId;
  /** Milliseconds of virtual time since the start. */
  readonly at: number;
  readonly kind: OccurrenceKind;
  readonly node?: string;
  readonly subject?: ObjectReference;
  /** One sentence, with the real error text where there is one. */
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}
