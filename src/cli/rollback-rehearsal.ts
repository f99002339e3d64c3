/**
 * Goes back from point after point of a plan, each time on a twin of its own: whether the cluster comes
 * back, how long it takes and what pods and paths feel of it. The way back is the one `rollback` takes.
 */
import { memoryBackups } from '../engine/backups.ts';
import { reachedSteps } from '../engine/run/reached-steps.ts';
import { type RunResult, runPlan } from '../engine/run-plan.ts';
import { undoRun } from '../engine/undo-run.ts';
import type { ClusterInput } from '../model/cluster-input.ts';
import type { Plan, Step } from '../model/plan.ts';
import type { RollbackPoint, RollbackRehearsal } from '../model/rollback-rehearsal.ts';
import { createTwinPorts } from '../twin/ports/create-twin-ports.ts';
import { stageFor } from './rehearsal-session.ts';

/** `waves`: after each wave and each phase; `steps`: after each step. */
export type RollbackPoints = 'waves' | 'steps';

export interface RollbackRequest {
  readonly input: ClusterInput;
  readonly plan: Plan;
  readonly seed: number;
  readonly points: RollbackPoints;
  readonly onPoint?: (point: RollbackPoint, done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** Virtual time that passes after the way back, so that what is stuck shows (seconds). */
const SETTLE_SECONDS = 60;

export async function rehearseRollbacks(request: RollbackRequest): Promise<RollbackRehearsal> {
  const { plan, seed, onPoint, signal } = request;
  const chosen = pointsOf(plan, request.points);
  const points: RollbackPoint[] = [];
  for (const after of chosen) {
    if (signal?.aborted === true) break;
    const point = await backFrom(request, after);
    points.push(point);
    onPoint?.(point, points.length, chosen.length);
  }
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'RollbackRehearsal',
    name: plan.id,
    seed,
    outcome: points.every(({ outcome }) => outcome === 'back') ? 'clean' : 'broken',
    points,
    pointsOfNoReturn: plan.steps.filter((step) => step.pointOfNoReturn).map(({ id }) => id),
  };
}

/** Ids of the steps after which there is something to take back. */
export function pointsOf(plan: Plan, which: RollbackPoints): readonly string[] {
  const first = plan.steps.findIndex(({ undo }) => undo !== null);
  const steps = plan.steps.slice(Math.max(0, first));
  if (first < 0) return [];
  if (which === 'steps') return steps.map(({ id }) => id);
  return steps.filter((step, index) => endsSomething(step, steps[index + 1])).map(({ id }) => id);
}

/** A wave is closed by a check of its own. */
function endsSomething({ id, phase, action }: Step, next: Step | undefined): boolean {
  if (next === undefined || next.phase !== phase) return true;
  return action.kind === 'verify' && /\/wave-\d+\/verify$/.test(id);
}

async function backFrom({ input, plan, seed }: RollbackRequest, after: string) {
  const { world, prober, observer } = stageFor(input, seed);
  const ports = { ...createTwinPorts(world), prober };
  const end = plan.steps.findIndex(({ id }) => id === after);
  const part: Plan = { ...plan, steps: plan.steps.slice(0, end + 1) };
  const backups = memoryBackups();
  const options = { backups, keepProbing: true };
  const [there, back] = await world.kernel.drive(async () => {
    const first = await runPlan(part, ports, options);
    const reached = await reachedSteps(plan, ports, backups);
    const second = await undoRun(plan, reached, ports, options);
    await ports.clock.sleep(SETTLE_SECONDS * 1000);
    return [first, second] as const;
  });
  const { summary } = observer.finish();
  const message = failureOf(there, back, summary.podsStuck);
  const point: RollbackPoint = {
    after,
    outcome: message === undefined ? 'back' : 'broken',
    ...(message === undefined ? {} : { message }),
    stepsBack: back.done.length,
    seconds: back.seconds,
    maxRestartsPerPod: summary.maxRestartsPerPod,
    podsStuck: summary.podsStuck,
    longestPathGapMs: summary.longestPathGapMs,
    maxPodOutageSeconds: summary.podOutageSeconds.max,
  };
  return point;
}

function failureOf(there: RunResult, back: RunResult, podsStuck: number): string | undefined {
  if (there.failed !== undefined)
    return `the plan itself stopped at ${there.failed.step}: ${there.failed.message}`;
  if (back.failed !== undefined) return `${back.failed.step}: ${back.failed.message}`;
  return podsStuck === 0 ? undefined : `${podsStuck} pods are stuck after it`;
}
