/**
 * Runs a plan through ports: a step starts when what it depends on is done and its gates hold; it is
 * observed before and after. The first failure stops the run; what was done and can be undone is
 * said. Resuming is running again: what is done observes as done.
 */
import { assert } from '../base/assert.ts';
import { RegaugeError } from '../base/errors.ts';
import type { Plan, Step } from '../model/plan.ts';
import type { RunEvent } from '../model/run-event.ts';
import type { Ports } from '../ports/index.ts';
import { OwnerTurns } from '../steps/owner-turns.ts';
import { stepFor } from '../steps/registry.ts';
import type { BackupStore, StepContext } from '../steps/step-module.ts';
import { waitUntil } from '../steps/waiting.ts';
import { memoryBackups } from './backups.ts';
import { evaluateGate, showGate } from './gates/evaluate.ts';
import type { GateContext } from './gates/gate-context.ts';
import { pathKey } from './gates/paths.ts';

export interface RunOptions {
  readonly onEvent?: (event: RunEvent) => void;
  readonly backups?: BackupStore;
  /** Written before the act it tells of; a real run keeps it on disk. */
  readonly journal?: { write(event: RunEvent): Promise<void> };
  /** How long a gate may fail to hold before the run stops (seconds). */
  readonly gateTimeoutSeconds?: number;
  /** Whoever called reads the probes after the run, and stops them. */
  readonly keepProbing?: boolean;
}

export interface RunResult {
  readonly outcome: 'done' | 'stopped';
  /** Steps that are done, in the order they were. */
  readonly done: readonly string[];
  readonly failed?: { readonly step: string; readonly message: string };
  /** Steps that are done or began, in the plan's order: what the way back starts from. */
  readonly reached: readonly string[];
  readonly seconds: number;
}

const GATE_TIMEOUT_SECONDS = 900;
/** Between tries of an act that failed for a reason that passes. */
const RETRY_MS = 3_000;
const PASSING_CODES = new Set(['unreachable', 'conflict', 'timeout']);

export async function runPlan(
  plan: Plan,
  ports: Ports,
  options: RunOptions = {},
): Promise<RunResult> {
  const run = new PlanRun(plan, ports, options);
  return run.toTheEnd();
}

class PlanRun {
  private readonly startedAt: number;
  private readonly done: string[] = [];
  private readonly started = new Set<string>();
  private readonly waiting = new Map<string, number>();
  private readonly dependents = new Map<string, Step[]>();
  private readonly backups: BackupStore;
  private readonly turns = new OwnerTurns();
  private gates: GateContext;
  private failure: { readonly step: string; readonly message: string } | undefined;
  private readonly plan: Plan;
  private readonly ports: Ports;
  private readonly options: RunOptions;

  constructor(plan: Plan, ports: Ports, options: RunOptions) {
    this.plan = plan;
    this.ports = ports;
    this.options = options;
    this.startedAt = ports.clock.now();
    this.backups = options.backups ?? memoryBackups();
    this.gates = { ports, plan, failingBefore: new Set() };
    for (const step of plan.steps) {
      this.waiting.set(step.id, step.dependsOn.length);
      for (const before of step.dependsOn) {
        const list = this.dependents.get(before) ?? [];
        list.push(step);
        this.dependents.set(before, list);
      }
    }
    assertOrdered(plan);
  }

  async toTheEnd(): Promise<RunResult> {
    await this.startProbes();
    const roots = this.plan.steps.filter((step) => step.dependsOn.length === 0);
    await Promise.all(roots.map((step) => this.runFrom(step)));
    const result = this.result();
    await this.tell({ type: 'done', at: this.seconds(), message: this.closingWords(result) });
    if (this.options.keepProbing !== true) await this.ports.prober.stop();
    return result;
  }

  private async startProbes(): Promise<void> {
    await this.ports.prober.start();
    const failing = await this.ports.prober.failing();
    this.gates = { ...this.gates, failingBefore: new Set(failing.map(pathKey)) };
    const known =
      failing.length === 0 ? '' : `; ${failing.length} paths fail already and are not waited for`;
    await this.tell({
      type: 'probe',
      at: this.seconds(),
      message: `probes run on every class of paths${known}`,
    });
  }

  /** Runs the step and then whatever waited for it only. */
  private async runFrom(step: Step): Promise<void> {
    if (this.failure !== undefined) return;
    const failure = await this.runStep(step);
    if (failure !== undefined) {
      this.failure ??= { step: step.id, message: failure };
      await this.tellStep(step, 'failed', failure);
      return;
    }
    this.done.push(step.id);
    const next = (this.dependents.get(step.id) ?? []).filter((dependent) => {
      const left = (this.waiting.get(dependent.id) ?? 0) - 1;
      this.waiting.set(dependent.id, left);
      return left === 0;
    });
    await Promise.all(next.map((dependent) => this.runFrom(dependent)));
  }

  /** Why it failed; undefined when it is done. */
  private async runStep(step: Step): Promise<string | undefined> {
    try {
      return await this.attempt(step);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  private async attempt(step: Step): Promise<string | undefined> {
    const bound = stepFor(step.action);
    const seen = await this.retried(step, () => bound.observe(this.contextOf(step)));
    if (seen === 'done') {
      await this.tellStep(step, 'already-done');
      return undefined;
    }
    if (seen !== 'todo') return seen.blocked;
    const gate = await this.gatesHold(step);
    if (gate !== undefined) return gate;
    if (this.failure !== undefined) return `not started: ${this.failure.step} failed`;
    this.started.add(step.id);
    await this.tellStep(step, 'started');
    const context = this.contextOf(step);
    await this.retried(step, () => bound.act(context));
    const verdict = await waitUntil(this.ports.clock, context.deadline, () =>
      this.retried(step, () => bound.verify(context)),
    );
    if (!verdict.holds) return `not there after ${step.timeoutSeconds} s: ${verdict.message}`;
    await this.tellStep(step, 'done');
    return undefined;
  }

  private contextOf(step: Step): StepContext {
    const { ports, plan, backups, turns } = this;
    return {
      ports,
      plan,
      step,
      backups,
      turns,
      deadline: ports.clock.now() + step.timeoutSeconds * 1000,
      say: (message, node) => {
        this.options.onEvent?.({
          type: 'health',
          at: this.seconds(),
          message,
          ...(node === undefined ? {} : { node }),
        });
      },
    };
  }

  private async gatesHold(step: Step): Promise<string | undefined> {
    const deadline =
      this.ports.clock.now() + (this.options.gateTimeoutSeconds ?? GATE_TIMEOUT_SECONDS) * 1000;
    for (const gate of step.gates) {
      const name = showGate(gate);
      const tell = (state: 'holds' | 'waiting' | 'failed', message: string): Promise<void> =>
        this.tell({ type: 'gate', at: this.seconds(), step: step.id, gate: name, state, message });
      const verdict = await waitUntil(
        this.ports.clock,
        deadline,
        () => evaluateGate(this.gates, gate),
        (message) => void tell('waiting', message),
      );
      if (!verdict.holds) {
        await tell('failed', verdict.message);
        return `gate ${name} does not hold: ${verdict.message}`;
      }
      await tell('holds', 'holds');
    }
    return undefined;
  }

  /** Tries again while the failure is one that passes, until the step's time is over. */
  private async retried<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const deadline = this.ports.clock.now() + step.timeoutSeconds * 1000;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const passes = error instanceof RegaugeError && PASSING_CODES.has(error.code);
        if (!passes || this.ports.clock.now() >= deadline) throw error;
        await this.ports.clock.sleep(RETRY_MS);
      }
    }
  }

  private result(): RunResult {
    const done = new Set(this.done);
    const reached = this.plan.steps
      .map(({ id }) => id)
      .filter((id) => done.has(id) || this.started.has(id));
    const complete = this.failure === undefined && this.done.length === this.plan.steps.length;
    return {
      outcome: complete ? 'done' : 'stopped',
      done: this.done,
      ...(this.failure === undefined ? {} : { failed: this.failure }),
      reached,
      seconds: this.seconds(),
    };
  }

  private closingWords({ outcome, failed, reached, done }: RunResult): string {
    if (outcome === 'done') return `all ${done.length} steps are done`;
    const begun = new Set(reached);
    const undoable = this.plan.steps.filter(({ id, undo }) => undo !== null && begun.has(id));
    const offer =
      undoable.length === 0 ? 'nothing needs undoing' : `${undoable.length} steps can be undone`;
    return `stopped at ${failed?.step ?? 'an unknown step'}: ${failed?.message ?? ''}; ${offer}`;
  }

  private seconds(): number {
    return (this.ports.clock.now() - this.startedAt) / 1000;
  }

  private tellStep(
    step: Step,
    state: 'started' | 'done' | 'already-done' | 'failed',
    message?: string,
  ): Promise<void> {
    const { id, phase, title, nodes } = step;
    return this.tell({
      type: 'step',
      at: this.seconds(),
      step: id,
      phase,
      state,
      title,
      nodes,
      ...(message === undefined ? {} : { message }),
    });
  }

  private async tell(event: RunEvent): Promise<void> {
    this.options.onEvent?.(event);
    await this.options.journal?.write(event);
  }
}

/** Every dependency is a step that comes before: no cycle, nothing dangling. */
function assertOrdered(plan: Plan): void {
  const seen = new Set<string>();
  for (const step of plan.steps) {
    for (const before of step.dependsOn)
      assert(
        seen.has(before),
        `step ${step.id} depends on ${before}, which does not come before it`,
      );
    assert(!seen.has(step.id), `step ${step.id} is there twice`);
    seen.add(step.id);
  }
}
