/**
 * Makes a counter-example smaller while it still breaks: fewer faults, parameters as mild as they get,
 * no delay, an earlier step. Greedy and in a fixed order, so that the same worst case always ends in the
 * same small one; bounded, since each try is a rehearsal.
 */
import type { FaultDescription, FaultStrike } from '../../model/fault.ts';

export interface Shrunk {
  readonly strikes: readonly FaultStrike[];
  /** Rehearsals that it took. */
  readonly tried: number;
}

export interface ShrinkOptions {
  /** Steps in the order in which they run. */
  readonly steps: readonly string[];
  readonly faults: readonly FaultDescription[];
  readonly triesMax: number;
}

type Candidate = readonly FaultStrike[];

export async function shrink(
  strikes: readonly FaultStrike[],
  stillBreaks: (candidate: Candidate) => Promise<boolean>,
  options: ShrinkOptions,
): Promise<Shrunk> {
  let best: Candidate = strikes;
  let tried = 0;
  const known = new Set([JSON.stringify(best)]);
  for (let improved = true; improved;) {
    improved = false;
    for (const candidate of smallerThan(best, options)) {
      const key = JSON.stringify(candidate);
      if (known.has(key)) continue;
      if (tried >= options.triesMax) return { strikes: best, tried };
      known.add(key);
      tried += 1;
      if (!(await stillBreaks(candidate))) continue;
      best = candidate;
      improved = true;
      break;
    }
  }
  return { strikes: best, tried };
}

/** What makes most of a difference comes first. */
function* smallerThan(strikes: Candidate, options: ShrinkOptions): Generator<Candidate> {
  if (strikes.length > 1)
    for (const index of strikes.keys()) yield strikes.filter((_, other) => other !== index);
  for (const [index, strike] of strikes.entries()) {
    const put = (changed: FaultStrike): Candidate =>
      strikes.map((each, other) => (other === index ? changed : each));
    if (strike.after > 0) yield put({ ...strike, after: 0 });
    for (const milder of milderThan(strike, options.faults)) yield put(milder);
    for (const step of earlierThan(strike.step, options.steps)) yield put({ ...strike, step });
  }
}

function* milderThan(
  strike: FaultStrike,
  faults: readonly FaultDescription[],
): Generator<FaultStrike> {
  const known = faults.find(({ id }) => id === strike.fault)?.parameters ?? {};
  for (const [name, { least, usual, most }] of Object.entries(known)) {
    const value = strike.parameters[name];
    const milder = value === most ? [least, usual] : value === usual ? [least] : [];
    for (const next of milder)
      yield { ...strike, parameters: { ...strike.parameters, [name]: next } };
  }
}

/** The first of all, then by halves towards the one it is: few tries find an early one. */
function* earlierThan(step: string, steps: readonly string[]): Generator<string> {
  const at = steps.indexOf(step);
  for (let place = 0; place < at; place += Math.max(1, Math.ceil((at - place) / 2))) {
    const earlier = steps[place];
    if (earlier !== undefined) yield earlier;
  }
}
