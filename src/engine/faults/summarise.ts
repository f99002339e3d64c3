/** The document of a sweep, from its rehearsals in whichever order they came. */
import type { FaultDescription } from '../../model/fault.ts';
import {
  type CounterExample,
  type FaultedResult,
  type FaultSweep,
  type OutcomeCounts,
  SWEEP_OUTCOMES,
} from '../../model/fault-sweep.ts';
import type { Plan } from '../../model/plan.ts';
import { spread, wilson } from './statistics.ts';

export interface SweepSubject {
  readonly plan: Plan;
  readonly seed: number;
  readonly planned: number;
  readonly faults: readonly FaultDescription[];
  /** A rehearsal that can be played again. */
  readonly exampleOf: (result: FaultedResult) => CounterExample;
}

export function summarise(
  results: readonly FaultedResult[],
  subject: SweepSubject,
): Omit<FaultSweep, 'shrunk'> {
  const ordered = results.toSorted((left, right) => left.index - right.index);
  const outcomes = countsOf(ordered);
  const worst = worstOf(ordered);
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'FaultSweep',
    name: subject.plan.id,
    seed: subject.seed,
    planned: subject.planned,
    rehearsals: ordered.length,
    notStruck: ordered.filter(({ struck }) => !struck).length,
    outcomes,
    clean: wilson(outcomes.clean + outcomes.resumed, ordered.length),
    makespanSeconds: spread(ordered.map(({ makespanSeconds }) => makespanSeconds)),
    podOutageSeconds: spread(ordered.map(({ podOutageSeconds }) => podOutageSeconds)),
    longestPathGapMs: spread(ordered.map(({ longestPathGapMs }) => longestPathGapMs)),
    faults: subject.faults.flatMap(({ id, title, standsFor }) => {
      const own = ordered.filter(({ strikes }) => strikes.some(({ fault }) => fault === id));
      return own.length === 0 ? [] : [{ fault: id, title, standsFor, outcomes: countsOf(own) }];
    }),
    steps: subject.plan.steps.flatMap(({ id }) => {
      const own = ordered.filter(({ strikes }) => strikes.some(({ step }) => step === id));
      return own.length === 0 ? [] : [{ step: id, outcomes: countsOf(own) }];
    }),
    broken: brokenPromises(ordered),
    worst: worst === undefined ? null : subject.exampleOf(worst),
  };
}

function countsOf(results: readonly FaultedResult[]): OutcomeCounts {
  const counts = { clean: 0, resumed: 0, stopped: 0, broken: 0 };
  for (const { outcome } of results) counts[outcome] += 1;
  return counts;
}

/** By outcome, then by how much broke, then by the outage; the first of equals. */
export function worstOf(results: readonly FaultedResult[]): FaultedResult | undefined {
  let worst: FaultedResult | undefined;
  for (const result of results) if (worst === undefined || isWorse(result, worst)) worst = result;
  return worst;
}

function isWorse(left: FaultedResult, right: FaultedResult): boolean {
  const byOutcome = SWEEP_OUTCOMES.indexOf(left.outcome) - SWEEP_OUTCOMES.indexOf(right.outcome);
  if (byOutcome !== 0) return byOutcome > 0;
  const byBreakages = left.broke.length - right.broke.length;
  if (byBreakages !== 0) return byBreakages > 0;
  return left.podOutageSeconds > right.podOutageSeconds;
}

function brokenPromises(results: readonly FaultedResult[]): FaultSweep['broken'] {
  const found = new Map<string, { rehearsals: number; firstSeed: number; message: string }>();
  for (const { broke, seed } of results) {
    const names = new Set<string>();
    for (const { what, message } of broke) {
      if (names.has(what)) continue;
      names.add(what);
      const known = found.get(what);
      if (known === undefined) found.set(what, { rehearsals: 1, firstSeed: seed, message });
      else known.rehearsals += 1;
    }
  }
  return [...found]
    .map(([what, rest]) => ({ what, ...rest }))
    .toSorted((left, right) => right.rehearsals - left.rehearsals);
}
