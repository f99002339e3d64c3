/**
 * Puts a rehearsal together: a twin of what was read, its ports, the engine with a plan or a
 * person's runbook, the observer, and the names of causes. The only place that knows them all.
 */
import { RegaugeError } from '../base/errors.ts';
import { nameCauses } from '../diagnosis/causes.ts';
import { type RunResult, runPlan } from '../engine/run-plan.ts';
import { runRunbook, type RunbookResult } from '../engine/runbook.ts';
import { HAZARDS } from '../hazards/registry.ts';
import { deriveFacts, type FactOptions } from '../intake/facts.ts';
import type { ClusterInput } from '../model/cluster-input.ts';
import type { Finding } from '../model/finding.ts';
import type { Occurrence } from '../model/occurrence.ts';
import type { Plan } from '../model/plan.ts';
import type { Outcome, Rehearsal } from '../model/rehearsal.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { Runbook } from '../model/runbook.ts';
import type { Artifact } from '../planner/artifacts.ts';
import type { Intent } from '../planner/intent.ts';
import { planMigration } from '../planner/plan-migration.ts';
import { FOR_LACK_OF_INPUT } from '../planner/refusal.ts';
import {
  createObserver,
  type ObservationReport,
  type Observer,
} from '../twin/observer/create-observer.ts';
import { type NodeHistoryRecorder, recordNodeHistories } from '../twin/observer/node-history.ts';
import { createTwinPorts } from '../twin/ports/create-twin-ports.ts';
import { createProber, type TwinProber } from '../twin/ports/prober.ts';
import { type BuiltWorld, buildWorld } from '../twin/scenario/build-world.ts';
import { failedSteps, timelineOf } from './rehearsal-timeline.ts';

export interface RehearsalRequest {
  readonly input: ClusterInput;
  readonly plan?: Plan;
  readonly runbook?: Runbook;
  readonly seed?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

export interface Rehearsed {
  readonly rehearsal: Rehearsal;
  readonly run: RunResult | RunbookResult;
  readonly occurrences: readonly Occurrence[];
}

/** Virtual time that passes after the last step, so that what is stuck shows (seconds). */
const SETTLE_SECONDS = 330;

export function rehearse(request: RehearsalRequest): Promise<Rehearsed> {
  const { input, seed = 1, ...subject } = request;
  return play(stageFor(input, seed), subject);
}

/** A twin and all that measures it, before anything happens on it. */
export interface Stage extends BuiltWorld {
  readonly seed: number;
  readonly prober: TwinProber;
  readonly observer: Observer;
  readonly histories: NodeHistoryRecorder;
}

/** It keeps nothing of the input: whoever drops that frees what the twin has replaced by then. */
export function stageFor(input: ClusterInput, seed: number): Stage {
  const built = buildWorld(input, { seed });
  const { world } = built;
  const prober = createProber(world);
  return {
    ...built,
    seed,
    prober,
    observer: createObserver(world, prober),
    histories: recordNodeHistories(world, 'flannel'),
  };
}

export type RehearsalSubject = Pick<RehearsalRequest, 'plan' | 'runbook' | 'onEvent'>;

export async function play(stage: Stage, request: RehearsalSubject): Promise<Rehearsed> {
  const { world, assumptions, seed, prober, observer, histories } = stage;
  const ports = { ...createTwinPorts(world), prober };
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent): void => {
    events.push(event);
    request.onEvent?.(event);
  };
  const run = await world.kernel.drive(async () => {
    const result = await perform(request, ports, onEvent);
    if (!endedWell(result)) await ports.clock.sleep(SETTLE_SECONDS * 1000);
    return result;
  });
  const report = observer.finish();
  const { occurrences } = world.kernel;
  const rehearsal = describe({
    name: nameOf(request),
    outcome: outcomeOf(report, run),
    seed,
    report,
    events,
    occurrences,
    assumptions,
    nodeHistories: histories.histories(),
  });
  return { rehearsal, run, occurrences };
}

export interface RehearsalParts extends Pick<
  Rehearsal,
  'name' | 'outcome' | 'seed' | 'assumptions' | 'nodeHistories'
> {
  readonly report: ObservationReport;
  readonly events: readonly RunEvent[];
  readonly occurrences: readonly Occurrence[];
}

/** The document, with the causes of what failed named. */
export function describe(parts: RehearsalParts): Rehearsal {
  const { name, outcome, seed, report, events, occurrences, assumptions, nodeHistories } = parts;
  const { causes, failures } = nameCauses(occurrences, report.failures, HAZARDS);
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'Rehearsal',
    name,
    outcome,
    seed,
    summary: report.summary,
    failures,
    causes,
    timeline: timelineOf(events, occurrences),
    failedSteps: failedSteps(events),
    invariants: report.invariants,
    assumptions,
    paths: report.paths,
    nodeHistories,
  };
}

function perform(
  { plan, runbook }: RehearsalSubject,
  ports: Parameters<typeof runPlan>[1],
  onEvent: (event: RunEvent) => void,
): Promise<RunResult | RunbookResult> {
  const options = { onEvent, keepProbing: true };
  if (runbook !== undefined) return runRunbook(runbook, ports, options);
  if (plan !== undefined) return runPlan(plan, ports, options);
  throw new RegaugeError('usage', 'a rehearsal needs a plan or a runbook');
}

function nameOf({ plan, runbook }: RehearsalSubject): string {
  return runbook === undefined ? (plan?.id ?? 'rehearsal') : (runbook.name ?? 'runbook');
}

/** A plan that is through has looked at everything itself; a person's commands end where they end. */
function endedWell(run: RunResult | RunbookResult): boolean {
  return !('commands' in run) && run.outcome === 'done';
}

export function outcomeOf(
  report: ObservationReport,
  run: Pick<RunResult, 'outcome'> | RunbookResult,
): Outcome {
  const { summary, failures, invariants, lasting } = report;
  if (lasting.length > 0) return 'harmful';
  const unfinished = !('commands' in run) && run.outcome === 'stopped';
  if (summary.podsStuck > 0 || summary.volumesStuck > 0 || unfinished) return 'stuck';
  const broken = invariants.some(({ held }) => !held);
  if (failures.length > 0 || broken || summary.maxRestartsPerPod > 1) return 'degraded';
  return 'clean';
}

export interface Planned {
  readonly plan: Plan;
  artifacts(): readonly Artifact[];
}

/** The plan for what was read; a refusal becomes an error that names what to do. */
export function planFor(
  input: ClusterInput,
  intent: Intent = {},
  options: FactOptions = {},
): Planned {
  const result = planMigration(deriveFacts(input, options), intent);
  if (result.ok) return result;
  throw refusedPlan(result.refusals);
}

function refusedPlan(refusals: readonly Finding[]): RegaugeError {
  const [first, ...others] = refusals;
  const more = others.map(({ title }) => `; also: ${title}`).join('');
  const message = `no plan is made: ${first?.title ?? 'unknown'}. ${first?.message ?? ''}${more}`;
  const hint = [first?.fix?.summary, first?.fix?.command].filter((part) => part !== undefined);
  const code = FOR_LACK_OF_INPUT.has(first?.hazard ?? '') ? 'bad-input' : 'refused';
  return new RegaugeError(code, message, hint.length === 0 ? {} : { hint: hint.join(' ') });
}
