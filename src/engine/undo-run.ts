/**
 * Takes back what a run did, from wherever it stopped: executes the way back as a plan of its own,
 * by the same rules. Stops at the first step that does not come about, and says which.
 */
import type { Plan } from '../model/plan.ts';
import type { RunEvent } from '../model/run-event.ts';
import { rollbackPlan } from '../planner/rollback-plan.ts';
import type { Ports } from '../ports/index.ts';
import { type RunOptions, type RunResult, runPlan } from './run-plan.ts';

/** `reached`: ids of the steps that began. */
export async function undoRun(
  plan: Plan,
  reached: ReadonlySet<string>,
  ports: Ports,
  options: RunOptions = {},
): Promise<RunResult> {
  const back = rollbackPlan(plan, reached);
  const event: RunEvent = {
    type: 'undo',
    at: 0,
    message: `taking back ${reached.size} steps, last first: ${back.steps.length} steps`,
  };
  options.onEvent?.(event);
  await options.journal?.write(event);
  return runPlan(back, ports, options);
}
