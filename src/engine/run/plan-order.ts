/** What a run takes for granted of a plan's order. */
import { assert } from '../../base/assert.ts';
import type { Plan, Step } from '../../model/plan.ts';

/** Every dependency is a step that comes before: no cycle, nothing dangling. */
export function assertOrdered({ steps }: Plan): void {
  const seen = new Set<string>();
  for (const step of steps) {
    for (const before of step.dependsOn)
      assert(
        seen.has(before),
        `step ${step.id} depends on ${before}, which does not come before it`,
      );
    assert(!seen.has(step.id), `step ${step.id} is there twice`);
    seen.add(step.id);
  }
}

/** By a step's id, the steps that wait for it. */
export function dependentsIn({ steps }: Plan): ReadonlyMap<string, readonly Step[]> {
  const dependents = new Map<string, Step[]>();
  for (const step of steps) {
    for (const before of step.dependsOn) {
      const list = dependents.get(before);
      if (list === undefined) dependents.set(before, [step]);
      else list.push(step);
    }
  }
  return dependents;
}

/** Those of the ids whose steps are the same in both plans, to the object. */
export function unchangedOf(
  ids: readonly string[],
  before: Plan,
  after: Plan,
): ReadonlySet<string> {
  const old = new Map(before.steps.map((step) => [step.id, step]));
  const same = after.steps.filter((step) => old.get(step.id) === step).map(({ id }) => id);
  const wanted = new Set(ids);
  return new Set(same.filter((id) => wanted.has(id)));
}
