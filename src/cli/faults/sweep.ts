/**
 * A sweep: many rehearsals with faults, side by side, told as one document. What is interrupted tells of
 * what is known by then. The worst that broke is made smaller before it is shown.
 */
import { shrink } from '../../engine/faults/shrink.ts';
import { summarise, worstOf } from '../../engine/faults/summarise.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { FaultDescription } from '../../model/fault.ts';
import type { CounterExample, FaultedResult, FaultSweep } from '../../model/fault-sweep.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { isControlPlane } from '../../model/node-object.ts';
import type { Plan } from '../../model/plan.ts';
import { showStrike } from '../../twin/faults/fault-text.ts';
import { openPool, type SweepPool, type Threads } from './worker-pool.ts';

export interface SweepRequest {
  readonly input: ClusterInput;
  readonly plan: Plan;
  readonly faults: readonly FaultDescription[];
  readonly steps?: readonly string[];
  readonly seed: number;
  readonly rehearsals: number;
  /** In this thread where there are none. */
  readonly threads?: Threads | undefined;
  /** The command line that plays one rehearsal again. */
  readonly commandFor: (seed: number, faults: readonly string[]) => string;
  readonly onResult?: (result: FaultedResult, done: number) => void;
  readonly signal?: AbortSignal;
}

const SHRINK_TRIES = 60;

export async function sweepFaults(request: SweepRequest): Promise<FaultSweep> {
  const { input, plan, faults, steps, seed, threads } = request;
  const nodes = sweepNodesOf(input);
  const ids = faults.map(({ id }) => id);
  const work = { plan, nodes, faults: ids, seed, ...(steps === undefined ? {} : { steps }) };
  const pool = openPool(work, input, threads);
  try {
    const results = await rehearseAll(pool, request);
    const exampleOf = (result: FaultedResult): CounterExample => example(result, request);
    const sweep = summarise(results, {
      plan,
      seed,
      planned: request.rehearsals,
      faults,
      exampleOf,
    });
    return { ...sweep, shrunk: await shrunkWorst(pool, results, request) };
  } finally {
    await pool.close();
  }
}

async function rehearseAll(
  pool: SweepPool,
  { rehearsals, onResult, signal }: SweepRequest,
): Promise<readonly FaultedResult[]> {
  const results: FaultedResult[] = [];
  const stopped = new Promise<undefined>((resolve) => {
    signal?.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next; index < rehearsals; index = next) {
      if (signal?.aborted === true) return;
      next += 1;
      const result = await Promise.race([pool.rehearse(index), stopped]);
      if (result === undefined) return;
      results.push(result);
      onResult?.(result, results.length);
    }
  };
  await Promise.all(Array.from({ length: pool.width }, lane));
  return results;
}

async function shrunkWorst(
  pool: SweepPool,
  results: readonly FaultedResult[],
  request: SweepRequest,
): Promise<FaultSweep['shrunk']> {
  const worst = worstOf(results.toSorted((left, right) => left.index - right.index));
  if (worst === undefined || worst.outcome !== 'broken' || request.signal?.aborted === true)
    return null;
  const promises = new Set(worst.broke.map(({ what }) => what));
  let smallest = worst;
  const { tried } = await shrink(
    worst.strikes,
    async (strikes) => {
      const result = await pool.rehearse({ index: worst.index, seed: worst.seed, strikes });
      const breaks = result.broke.some(({ what }) => promises.has(what));
      if (breaks) smallest = result;
      return breaks;
    },
    {
      steps: request.plan.steps.map(({ id }) => id),
      faults: request.faults,
      triesMax: SHRINK_TRIES,
    },
  );
  return { ...example(smallest, request), tried };
}

function example(
  { seed, strikes, outcome, broke, stoppedAt }: FaultedResult,
  { commandFor }: SweepRequest,
): CounterExample {
  const faults = strikes.map(showStrike);
  return {
    seed,
    faults,
    outcome,
    broke,
    ...(stoppedAt === undefined ? {} : { stoppedAt }),
    command: commandFor(seed, faults),
  };
}

export function sweepNodesOf({
  objects,
}: ClusterInput): readonly { readonly name: string; readonly controlPlane: boolean }[] {
  return objects.flatMap(({ object }) => {
    if (object.kind !== 'Node') return [];
    const node = object as NodeObject; // the kind says so
    return [{ name: node.metadata.name, controlPlane: isControlPlane(node) }];
  });
}
