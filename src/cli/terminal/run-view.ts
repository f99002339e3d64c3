/**
 * How a run stands, told from its events: which steps run, which gates are waited for and why, what
 * ended last, how much of each phase is done, and how long it may still take. Knows no terminal.
 */
import { PHASES, type Plan, type Step } from '../../model/plan.ts';
import type { RunEvent } from '../../model/run-event.ts';

export interface RunningStep {
  readonly title: string;
  /** Seconds since the start of the run. */
  readonly since: number;
  /** The gate it waits for, and what that says. */
  readonly waits?: string;
}

export interface EndedStep {
  readonly title: string;
  readonly state: 'done' | 'failed';
  readonly seconds: number;
}

const ENDED_KEPT = 5;

export class RunView {
  /** With the nodes that joined. */
  plan: Plan;
  readonly running = new Map<string, RunningStep>();
  readonly ended: EndedStep[] = [];
  /** The last words on probes, health and findings. */
  notice = '';
  private byId: ReadonlyMap<string, Step>;
  private readonly doneOf = new Map<string, number>();
  private readonly doneIds = new Set<string>();
  private at = 0;
  /** Of the expected seconds, those that steps of this run have earned. */
  private earned = 0;
  private skipped = 0;
  private total: number;

  constructor(plan: Plan) {
    this.plan = plan;
    this.byId = new Map(plan.steps.map((step) => [step.id, step]));
    this.total = totalOf(plan);
  }

  /** Somebody joined: the plan has more steps from now on. */
  grows(plan: Plan): void {
    this.plan = plan;
    this.byId = new Map(plan.steps.map((step) => [step.id, step]));
    this.total = totalOf(plan);
  }

  onEvent(event: RunEvent): void {
    this.at = event.at;
    if (event.type === 'step') this.onStep(event);
    else if (event.type === 'gate') this.onGate(event);
    else if (event.type === 'finding' || event.type === 'health' || event.type === 'probe')
      this.notice = event.message;
  }

  get seconds(): number {
    return this.at;
  }

  get stepsDone(): number {
    return this.doneIds.size;
  }

  /** Steps done and steps in all, of each phase that has any. */
  phases(): readonly { readonly phase: string; readonly done: number; readonly total: number }[] {
    return PHASES.map((phase) => ({
      phase,
      done: this.doneOf.get(phase) ?? 0,
      total: this.plan.steps.filter((step) => step.phase === phase).length,
    })).filter(({ total }) => total > 0);
  }

  /** Number of the wave that moves, from one; undefined outside the moving. */
  wave(): number | undefined {
    const left = this.plan.waves.findIndex((_nodes, index) => {
      const closing = `move-nodes/wave-${String(index + 1).padStart(2, '0')}/verify`;
      return this.byId.has(closing) && !this.doneIds.has(closing);
    });
    return left < 0 ? undefined : left + 1;
  }

  /** Seconds that are left, as predicted and as the run has gone so far; undefined before it is known. */
  secondsLeft(): number | undefined {
    const predicted = this.plan.predictions?.makespanSeconds;
    const share = this.total === 0 ? 0 : (this.total - this.earned - this.skipped) / this.total;
    const enough = this.total > 0 && this.earned / this.total >= ENOUGH_SEEN;
    if (enough) return (this.at / this.earned) * (this.total - this.earned - this.skipped);
    return predicted === undefined ? undefined : predicted * share;
  }

  private onStep({ step, state, title, phase, at }: Extract<RunEvent, { type: 'step' }>): void {
    if (state === 'started') {
      this.running.set(step, { title, since: at });
      return;
    }
    const since = this.running.get(step)?.since;
    this.running.delete(step);
    if (state !== 'failed') this.count(step, phase, state === 'already-done');
    if (state === 'already-done') return;
    this.ended.push({ title, state, seconds: at - (since ?? at) });
    if (this.ended.length > ENDED_KEPT) this.ended.shift();
  }

  private count(id: string, phase: string, wasDone: boolean): void {
    if (this.doneIds.has(id)) return;
    this.doneIds.add(id);
    this.doneOf.set(phase, (this.doneOf.get(phase) ?? 0) + 1);
    const step = this.byId.get(id);
    const seconds = step === undefined ? 0 : expectedSeconds(step);
    if (wasDone) this.skipped += seconds;
    else this.earned += seconds;
  }

  private onGate({ step, state, gate, message, at }: Extract<RunEvent, { type: 'gate' }>): void {
    const known = this.running.get(step);
    const title = known?.title ?? this.byId.get(step)?.title ?? step;
    const since = known?.since ?? at;
    if (state === 'waiting') this.running.set(step, { title, since, waits: `${gate}: ${message}` });
    else if (known !== undefined) this.running.delete(step);
  }
}

function totalOf({ steps }: Plan): number {
  return steps.reduce((sum, step) => sum + expectedSeconds(step), 0);
}

/** Before so much of it was seen, how fast it goes says nothing. */
const ENOUGH_SEEN = 0.1;

/** Seconds a step takes about, from what the steps themselves wait for; for want of a prediction. */
export function expectedSeconds({ action }: Step): number {
  switch (action.kind) {
    case 'restart-pods':
      return { 'evict-in-place': 90, reboot: 240, 'sandbox-restart': 45 }[action.strategy];
    case 'install-helm-release':
      return 90;
    case 'roll-out':
      return 60;
    case 'restart-agent':
    case 'reconfigure-agent':
      return 20;
    case 'return-node':
      return 120;
    case 'audit-policies':
      return action.seconds;
    case 'prove-policies':
    case 'move-probe':
      return 20;
    case 'restart-service':
      return 30 * action.nodes.length;
    case 'change-node-files':
    case 'clean-packet-filter':
      return 2 + action.nodes.length;
    default:
      return 2;
  }
}
