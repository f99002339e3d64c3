/**
 * What `rehearse --fix` says (contract: FixSearch): which changes of the plan or of the values make a
 * rehearsal, or a sweep of faults, end well, what was tried, and what each costs. Times are seconds of
 * virtual time.
 */
import type { OutcomeCounts } from './fault-sweep.ts';
import type { Outcome } from './rehearsal.ts';

/** One thing that could be another way. */
export interface PlanChange {
  readonly id: string;
  /** What it is a choice of: no fix takes two changes of the same. */
  readonly about: string;
  readonly change: string;
  readonly because: string;
  /** As `plan` and `rehearse` take it: a flag and its value. */
  readonly flag?: readonly [string, string];
  /** To be merged into the file (RFC 7396, as YAML). */
  readonly patch?: { readonly file: string; readonly yaml: string };
}

/** `clean`: every rehearsal of a trial ended clean; of a sweep, nothing broke. */
export const TRIAL_VERDICTS = ['clean', 'not-clean', 'refused'] as const;

export interface Trial {
  readonly verdict: (typeof TRIAL_VERDICTS)[number];
  /** The worst of its rehearsals without faults. */
  readonly outcome?: Outcome;
  /** Of its rehearsals with faults; absent where a case that broke before broke again. */
  readonly outcomes?: OutcomeCounts;
  /** The longest; of a sweep, the median. */
  readonly makespanSeconds?: number;
  /** Of the pod that was away longest; of a sweep, in 99 of 100 rehearsals. */
  readonly podOutageSeconds?: number;
  /** What kept it from being clean. */
  readonly why?: string;
}

export interface FixFound extends Trial {
  readonly changes: readonly PlanChange[];
  /** Against the trial without changes; null where that had no plan. */
  readonly costs: { readonly makespanSeconds: number; readonly podOutageSeconds: number } | null;
  /** The command line that rehearses it, once its patches are in the files. */
  readonly command: string;
}

export interface FixSearch {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'FixSearch';
  readonly of: 'rehearsal' | 'sweep';
  readonly seed: number;
  /** In each trial, with the same seeds. */
  readonly rehearsals: number;
  readonly before: Trial;
  readonly candidates: readonly PlanChange[];
  readonly tried: readonly (Trial & { readonly changes: readonly string[] })[];
  /** False when the search was given up with sets of candidates left that were never tried. */
  readonly exhausted: boolean;
  /** All of the smallest size that was found, the cheapest first. */
  readonly fixes: readonly FixFound[];
}
