/**
 * What a rehearsal with faults came to. Broken is what must never happen and would not have happened
 * with the fault alone: an invariant, pods that stay away, a run that cannot go on although nothing is
 * wrong any more.
 */
import type { Breakage, FaultedResult, SweepOutcome } from '../../model/fault-sweep.ts';
import type { ObservedFailure } from '../../model/observed-failure.ts';
import type { ObservationReport } from '../../twin/observer/create-observer.ts';
import { runFaultsAlone } from './control-run.ts';
import { type FaultedCase, type FaultedRun, runWithFaults } from './faulted-run.ts';

export async function rehearseCase(given: FaultedCase, index: number): Promise<FaultedResult> {
  return judge(given, await runWithFaults(given), index);
}

export function judge(given: FaultedCase, run: FaultedRun, index: number): FaultedResult {
  const broke = breakages(given, run);
  const last = run.attempts.at(-1);
  const outcome = outcomeOf(run, broke);
  const { summary } = run.report;
  return {
    index,
    seed: given.seed,
    strikes: given.strikes,
    outcome,
    struck: run.struckAt.every((at) => at !== undefined),
    broke,
    ...(last?.failed === undefined ? {} : { stoppedAt: last.failed }),
    runs: run.attempts.length,
    makespanSeconds: Math.round(run.makespanSeconds * 10) / 10,
    podOutageSeconds: summary.podOutageSeconds.max,
    longestPathGapMs: summary.longestPathGapMs,
  };
}

function outcomeOf({ attempts }: FaultedRun, broke: readonly Breakage[]): SweepOutcome {
  if (broke.length > 0) return 'broken';
  if (attempts.at(-1)?.end !== 'done') return 'stopped';
  return attempts.length > 1 ? 'resumed' : 'clean';
}

function breakages(given: FaultedCase, run: FaultedRun): readonly Breakage[] {
  if (run.crash !== undefined) return [{ what: 'every run ends', message: run.crash }];
  const stalled = stalledIn(run);
  const suspects = suspectsIn(run);
  if (suspects.length === 0) return stalled;
  const alone = new Set(suspectsIn({ ...run, report: runFaultsAlone(given, run) }).map(keyOf));
  const ours = suspects.filter((suspect) => !alone.has(keyOf(suspect)));
  return [...ours.map(({ breakage }) => breakage), ...stalled];
}

/** It cannot go on although no fault is in force any more. */
function stalledIn({ attempts, lasting }: FaultedRun): readonly Breakage[] {
  const last = attempts.at(-1);
  if (lasting || last?.failed === undefined) return [];
  const message = `${last.failed.step}: ${last.failed.message}`;
  return [{ what: 'a run goes on when nothing is wrong any more', message }];
}

interface Suspect {
  readonly breakage: Breakage;
  /** What it is compared by with the fault alone. */
  readonly subject: string;
}

function keyOf({ breakage, subject }: Suspect): string {
  return `${breakage.what} ${subject}`;
}

function suspectsIn(run: FaultedRun): readonly Suspect[] {
  const ended = run.attempts.at(-1)?.end === 'done';
  return [...invariantSuspects(run.report, ended), ...stuckSuspects(run)];
}

/** What a run leaves while it is stopped, and a run that goes on or the way back takes away. */
const HELD_WHILE_STOPPED = /in the end$/;

function invariantSuspects({ invariants }: ObservationReport, ended: boolean): readonly Suspect[] {
  return invariants.flatMap(({ name, firstViolation }) => {
    if (firstViolation === undefined || (!ended && HELD_WHILE_STOPPED.test(name))) return [];
    const breakage = { what: name, message: firstViolation.message };
    return [{ breakage, subject: '' }];
  });
}

function stuckSuspects({ report, world }: FaultedRun): readonly Suspect[] {
  // An API server that is gone for good brings nothing to its end, whatever was on its way then.
  if (!world.api.healthy()) return [];
  return report.failures.flatMap((failure) => {
    if (!STUCK.test(failure.symptom)) return [];
    const { node, namespace = '', name } = failure.subject;
    // What was on a machine that is gone cannot be anywhere.
    if (node !== undefined && world.nodes.get(node)?.machine.up === false) return [];
    if (isOneTooMany(failure)) return [];
    // A pod that ended and was replaced is held by whoever owns its finalizer.
    const finalizers = world.store.get('Pod', namespace, name)?.metadata.finalizers ?? [];
    if (failure.symptom === 'pod-terminating' && finalizers.length > 0) return [];
    const message = `${namespace}/${name}${node === undefined ? '' : ` on ${node}`}: ${failure.symptom}: ${failure.message}`;
    return [{ breakage: { what: 'no pod stays away', message }, subject: workloadOf(failure) }];
  });
}

const STUCK = /^pod-(?!outage)/;

/**
 * Every node there is has one of its like, which is all that keeps it away: where machines were lost, a
 * replica for each node is one too many.
 */
function isOneTooMany({ symptom, message }: ObservedFailure): boolean {
  return symptom === 'pod-unschedulable' && ALL_HAVE_ONE.test(message);
}

const ALL_HAVE_ONE =
  /^0\/(\d+) nodes are available: \1 node\(s\) didn't match pod anti-affinity rules\./;

/** Pods of a set have names of their own in each run. */
function workloadOf({ subject }: ObservedFailure): string {
  return `${subject.namespace ?? ''}/${subject.name.replace(/-[a-z0-9]{5}$/, '')}`;
}
