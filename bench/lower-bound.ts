/**
 * How short a migration could be, by its own plan: the critical path through its steps, each as long as
 * it was measured, gates not waited for. Moving the pods of a wave takes as long as the budgets make it:
 * of a workload that lets m pods be away, n of them on the wave's nodes need ⌈n ∕ m⌉ turns one after the
 * other, each as long as the replacement of a pod was measured to take.
 */
import type { Plan, Step } from '../src/model/plan.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A pod that was let go and replaced. */
export interface Replacement {
  readonly node: string;
  readonly workload: string;
  readonly seconds: number;
  /** How many of the workload's pods may be away at a time. */
  readonly allowed: number;
}

/** Seconds; `firstStepAt` is what passed before any step began. */
export function lowerBound(
  plan: Plan,
  spans: ReadonlyMap<string, Span>,
  replacements: readonly Replacement[],
  firstStepAt: number,
): number {
  const byNode = grouped(replacements, ({ node }) => node);
  const waves = waveSteps(plan);
  const ends = new Map<string, number>();
  const starts = new Map<string, number>();
  for (const step of plan.steps) {
    const ready = Math.max(firstStepAt, ...step.dependsOn.map((id) => ends.get(id) ?? 0));
    const moved = waves.get(step.id) ?? [];
    const wave = moved.flatMap(({ nodes }) => nodes.flatMap((node) => byNode.get(node) ?? []));
    const begun = Math.min(...moved.map(({ id }) => starts.get(id) ?? 0));
    const start = wave.length === 0 ? ready : Math.max(ready, begun + turnsOf(wave));
    starts.set(step.id, start);
    ends.set(step.id, start + secondsOf(step, spans, byNode));
  }
  return Math.max(...ends.values());
}

/** The steps that move pods, by the step that closes their wave. */
function waveSteps({ steps }: Plan): ReadonlyMap<string, readonly Step[]> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const restarts = (id: string): readonly Step[] => {
    const step = byId.get(id);
    if (step?.phase !== 'move-nodes') return [];
    if (step.action.kind === 'restart-pods') return [step];
    return step.action.kind === 'verify' && step.action.scope === 'node'
      ? step.dependsOn.flatMap(restarts)
      : [];
  };
  return new Map(
    steps
      .filter(({ phase, action }) => phase === 'move-nodes' && action.kind === 'verify')
      .map((step) => [step.id, step.dependsOn.flatMap(restarts)]),
  );
}

function secondsOf(
  step: Step,
  spans: ReadonlyMap<string, Span>,
  byNode: ReadonlyMap<string, readonly Replacement[]>,
): number {
  const span = spans.get(step.id);
  if (step.action.kind === 'restart-pods')
    return Math.max(0, ...step.nodes.flatMap((node) => byNode.get(node) ?? []).map(inSeconds));
  return span === undefined ? 0 : span.to - span.from;
}

/** The workload whose turns take longest. */
function turnsOf(wave: readonly Replacement[]): number {
  let longest = 0;
  for (const own of grouped(wave, ({ workload }) => workload).values()) {
    const sorted = own.map(inSeconds).toSorted((left, right) => left - right);
    const allowed = Math.max(1, own[0]?.allowed ?? 1);
    const turns = Math.ceil(sorted.length / allowed);
    longest = Math.max(longest, sum(sorted) / allowed, sum(sorted.slice(0, turns)));
  }
  return longest;
}

function inSeconds({ seconds }: Replacement): number {
  return seconds;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
