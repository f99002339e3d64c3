/**
 * Which faults strike in which rehearsal of a sweep: every pair of fault and step comes once before any
 * comes twice; seed, node, time and parameters are drawn. A case depends on its number and the seed of
 * the sweep alone, so that workers may take them in any order.
 */
import { Random } from '../../base/random.ts';
import type { FaultDescription, FaultStrike } from '../../model/fault.ts';
import type { Plan, Step } from '../../model/plan.ts';

export interface SweepNode {
  readonly name: string;
  readonly controlPlane: boolean;
}

export interface SweepSpace {
  readonly plan: Plan;
  readonly nodes: readonly SweepNode[];
  readonly faults: readonly FaultDescription[];
  /** Only at these steps; at all of them when absent. */
  readonly steps?: readonly string[];
  readonly seed: number;
}

export interface SweepCase {
  readonly index: number;
  readonly seed: number;
  readonly strikes: readonly FaultStrike[];
}

/** One in so many rehearsals has a second fault. */
const SECOND_FAULT_IN = 4;
/** A fault strikes as a step begins, or up to so many seconds later. */
const LATEST_SECONDS = 60;

export type CaseSampler = (index: number) => SweepCase;

export function casesOf(space: SweepSpace): CaseSampler {
  const steps = space.plan.steps.filter(({ id }) => space.steps?.includes(id) ?? true);
  const faults = space.faults.filter((fault) => targetsOf(fault, space.nodes) !== 'none');
  const pairs = shuffled(
    faults.flatMap((fault) => steps.map((step) => ({ fault, step }))),
    new Random(space.seed),
  );
  return (index) => {
    const seed = space.seed + index;
    const random = new Random(seed).fork('faults');
    const first = pairs[index % pairs.length];
    if (first === undefined) return { index, seed, strikes: [] };
    const strikes = [drawn(first, space, random)];
    // Whether there is a second is drawn even where it is not used, so that draws stay in step.
    if (random.between(1, SECOND_FAULT_IN) === 1 && pairs.length > 1)
      strikes.push(drawn(random.pick(pairs), space, random));
    return { index, seed, strikes };
  };
}

function drawn(
  { fault, step }: { readonly fault: FaultDescription; readonly step: Step },
  { nodes }: SweepSpace,
  random: Random,
): FaultStrike {
  const targets = targetsOf(fault, nodes);
  const own = step.nodes.length === 1 ? step.nodes[0] : undefined;
  const node =
    typeof targets === 'string'
      ? undefined
      : own !== undefined && targets.includes(own) && random.between(1, 2) === 1
        ? own
        : random.pick(targets);
  const after = random.between(1, 2) === 1 ? 0 : random.between(1, LATEST_SECONDS);
  const parameters = Object.fromEntries(
    Object.entries(fault.parameters).map(([name, { least, usual, most }]) => [
      name,
      random.pick([least, usual, usual, most]),
    ]),
  );
  return {
    fault: fault.id,
    step: step.id,
    after,
    ...(node === undefined ? {} : { node }),
    parameters,
  };
}

/** Nodes it can strike; `none` where there are none of its kind, `whole` where it strikes no node. */
function targetsOf(
  { strikes }: FaultDescription,
  nodes: readonly SweepNode[],
): readonly string[] | 'whole' | 'none' {
  if (strikes !== 'node' && strikes !== 'control-plane') return 'whole';
  const targets = nodes
    .filter(({ controlPlane }) => strikes === 'node' || controlPlane)
    .map(({ name }) => name);
  return targets.length === 0 ? 'none' : targets;
}

/** Fisher and Yates. */
function shuffled<T>(items: T[], random: Random): readonly T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = random.between(0, last);
    const item = items[last] as T; // both are within the list
    items[last] = items[other] as T;
    items[other] = item;
  }
  return items;
}
