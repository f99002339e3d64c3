/** A single rehearsal with faults, as a document that tells as much as one without. */
import type { Rehearsal } from '../../model/rehearsal.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { showStrike } from '../../twin/faults/fault-text.ts';
import { describe, outcomeOf } from '../rehearsal-session.ts';
import { type FaultedCase, runWithFaults } from './faulted-run.ts';
import { judge } from './judge.ts';

export async function rehearseWithFaults(given: FaultedCase): Promise<Rehearsal> {
  const events: RunEvent[] = [];
  const run = await runWithFaults({
    ...given,
    recordsNodes: true,
    onEvent: (event) => {
      events.push(event);
      given.onEvent?.(event);
    },
  });
  const { outcome, broke, runs } = judge(given, run, 0);
  const ended = run.attempts.at(-1)?.end === 'done' ? 'done' : 'stopped';
  const rehearsal = describe({
    name: given.plan.id,
    outcome: outcomeOf(run.report, { outcome: ended }),
    seed: given.seed,
    report: run.report,
    events,
    occurrences: run.world.kernel.occurrences,
    assumptions: run.assumptions,
    nodeHistories: run.nodeHistories,
  });
  return {
    ...rehearsal,
    underFaults: {
      faults: given.strikes.map((strike, index) => {
        const at = run.struckAt[index];
        return { fault: showStrike(strike), at: at === undefined ? null : at / 1000 };
      }),
      outcome,
      broke,
      runs,
    },
  };
}
