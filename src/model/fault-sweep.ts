/**
 * What a sweep of faults says (contract: FaultSweep): many rehearsals of one plan, each with something
 * going wrong at some step. Times are seconds of virtual time.
 */
import type { FaultStrike } from './fault.ts';

/**
 * `clean`: done at the first go. `resumed`: done after it was run again. `stopped`: it stopped, said why
 * and left nothing worse than the fault itself. `broken`: something that must never happen did.
 */
export const SWEEP_OUTCOMES = ['clean', 'resumed', 'stopped', 'broken'] as const;
export type SweepOutcome = (typeof SWEEP_OUTCOMES)[number];

export type OutcomeCounts = Readonly<Record<SweepOutcome, number>>;

export interface Breakage {
  /** Which promise: an invariant by its name, or what pods or the run must do. */
  readonly what: string;
  readonly message: string;
}

/** One rehearsal of the sweep. */
export interface FaultedResult {
  readonly index: number;
  readonly seed: number;
  readonly strikes: readonly FaultStrike[];
  readonly outcome: SweepOutcome;
  /** Every fault struck: its step began. */
  readonly struck: boolean;
  readonly broke: readonly Breakage[];
  readonly stoppedAt?: { readonly step: string; readonly message: string };
  readonly runs: number;
  readonly makespanSeconds: number;
  /** Of the pod that was away longest. */
  readonly podOutageSeconds: number;
  readonly longestPathGapMs: number;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Share {
  readonly share: number;
  /** Wilson's interval at 95 %. */
  readonly low: number;
  readonly high: number;
}

/** A rehearsal that can be played again, alone. */
export interface CounterExample {
  readonly seed: number;
  /** As `--fault` takes them. */
  readonly faults: readonly string[];
  readonly outcome: SweepOutcome;
  readonly broke: readonly Breakage[];
  readonly stoppedAt?: { readonly step: string; readonly message: string };
  /** The command line that plays it again. */
  readonly command: string;
}

export interface FaultSweep {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'FaultSweep';
  readonly name: string;
  readonly seed: number;
  /** How many were asked for, and how many are told of here. */
  readonly planned: number;
  readonly rehearsals: number;
  /** Rehearsals that had ended before a fault's step began. */
  readonly notStruck: number;
  readonly outcomes: OutcomeCounts;
  /** Clean, also after having been run again. */
  readonly clean: Share;
  readonly makespanSeconds: Spread;
  readonly podOutageSeconds: Spread;
  readonly longestPathGapMs: Spread;
  readonly faults: readonly {
    readonly fault: string;
    readonly title: string;
    readonly standsFor: string;
    readonly outcomes: OutcomeCounts;
  }[];
  readonly steps: readonly { readonly step: string; readonly outcomes: OutcomeCounts }[];
  /** Promises that were broken, most often first. */
  readonly broken: readonly {
    readonly what: string;
    readonly rehearsals: number;
    readonly firstSeed: number;
    readonly message: string;
  }[];
  readonly worst: CounterExample | null;
  /** The worst, made as small as it gets while it still breaks; null where nothing broke. */
  readonly shrunk: (CounterExample & { readonly tried: number }) | null;
}
