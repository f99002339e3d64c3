/**
 * Takes back what a stopped run did: the undo actions of the steps it started, last first, executed
 * as steps of their own. Stops at the first that does not come about, and says which.
 */
import type { Plan, Step } from '../model/plan.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { Ports } from '../ports/index.ts';
import { type RunOptions, type RunResult, runPlan } from './run-plan.ts';

export async function undoRun(
  plan: Plan,
  result: Pick<RunResult, 'undoable'>,
  ports: Ports,
  options: RunOptions = {},
): Promise<RunResult> {
  const steps = undoSteps(plan, result.undoable);
  const at = 0;
  const event: RunEvent = {
    type: 'undo',
    at,
    message: `taking back ${steps.length} steps, last first`,
  };
  options.onEvent?.(event);
  await options.journal?.write(event);
  return runPlan({ ...plan, steps }, ports, options);
}

/** One after the other: what was done last is taken back first. */
function undoSteps(plan: Plan, undoable: readonly string[]): readonly Step[] {
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  const steps: Step[] = [];
  for (const id of undoable) {
    const step = byId.get(id);
    if (step === undefined || step.undo === null) continue;
    const previous = steps.at(-1);
    steps.push({
      ...step,
      id: `undo/${id}`,
      kind: step.undo.kind,
      title: `Take back: ${step.title}`,
      action: step.undo,
      dependsOn: previous === undefined ? [] : [previous.id],
      gates: [],
      undo: null,
      undoNote: 'this is the undo',
      because: `${step.id} was done and the run stopped`,
    });
  }
  return steps;
}
