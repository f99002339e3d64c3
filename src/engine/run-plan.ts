/**
 * Runs a plan through ports: a step starts when what it depends on is done and its gates hold; it is
 * observed before and after. The first failure stops the run; what was done and can be undone is
 * said. Resuming is running again: what is done observes as done, or is behind what was begun since.
 */
import type { Plan, Step } from '../model/plan.ts';
import type { Ports } from '../ports/index.ts';
import { openHeldNodes } from '../steps/held-nodes.ts';
import { OwnerTurns } from '../steps/owner-turns.ts';
import { stepFor } from '../steps/registry.ts';
import type { BackupStore, StepContext, Verdict } from '../steps/step-module.ts';
import { waitUntil } from '../steps/waiting.ts';
import { memoryBackups } from './backups.ts';
import { type GateContext, gateContextOf } from './gates/gate-context.ts';
import { LossWatch } from './probes/watch-losses.ts';
import { brokenInWords, lookBefore } from './run/broken-before.ts';
import { closingWords, endingOf } from './run/closing-words.ts';
import { passedSteps } from './run/evidence.ts';
import { holdGates } from './run/hold-gates.ts';
import { NodeRoll } from './run/node-roll.ts';
import { planWith } from '../planner/joined-nodes.ts';
import { assertOrdered, dependentsIn, unchangedOf } from './run/plan-order.ts';
import { RunHalted } from './run/run-control.ts';
import type { RunOptions, RunResult } from './run/run-options.ts';
import { messageOf, retriedUntil } from './run/retries.ts';
import { isSafePoint } from './run/safe-point.ts';
import { strangersBefore } from './run/strangers.ts';
import { Telling } from './run/telling.ts';

export type { RunOptions, RunResult } from './run/run-options.ts';

const GATE_TIMEOUT_SECONDS = 900;
/** What became of a step. */
type Ended = 'done' | 'paused' | { readonly failed: string };

export async function runPlan(
  plan: Plan,
  ports: Ports,
  options: RunOptions = {},
): Promise<RunResult> {
  const run = new PlanRun(plan, ports, options);
  return run.toTheEnd();
}

class PlanRun {
  private readonly telling: Telling;
  private done: string[] = [];
  private readonly started = new Set<string>();
  private waiting = new Map<string, number>();
  private dependents: ReadonlyMap<string, readonly Step[]> = new Map();
  /** Done before somebody joined, and no other step since: nobody looks at them again. */
  private settled: ReadonlySet<string> = new Set();
  private readonly backups: BackupStore;
  private readonly turns = new OwnerTurns();
  private losses: LossWatch | undefined;
  private gates: GateContext;
  private passed: ReadonlySet<string> = new Set();
  private failure: { readonly step: string; readonly message: string } | undefined;
  private halt: RunHalted | undefined;
  private readonly running = new Set<string>();
  private readonly roll: NodeRoll;
  private readonly ports: Ports;
  private readonly options: RunOptions;

  constructor(given: Plan, ports: Ports, options: RunOptions) {
    this.ports = ports;
    this.options = options;
    this.telling = new Telling(ports.clock, options);
    this.backups = options.backups ?? memoryBackups();
    const plan = planWith(given, options.joined ?? []);
    this.roll = new NodeRoll(plan, ports, {
      tell: (message, node) =>
        this.telling.tell({ type: 'health', at: this.telling.seconds(), message, node }),
      // What ran there needs room, also where its node was the only open one.
      left: () => this.letGo(),
    });
    this.gates = gateContextOf(plan, ports, (nodes) => this.roll.seen(nodes));
  }

  async toTheEnd(): Promise<RunResult> {
    try {
      await this.roll.look(true);
      await this.takeIn();
      this.passed = await passedSteps(this.roll.whole, this.ports);
      await this.startProbes();
      this.watchLosses();
    } catch (error) {
      if (!(error instanceof RunHalted)) throw error;
      this.halt = error;
    }
    await this.round();
    while (await this.goesOnWithNewcomers()) await this.round();
    const result = this.result();
    // What is lost from here on is no step's; a run that was stopped from outside asks nothing more.
    if (this.halt === undefined) await this.losses?.end();
    if (result.outcome === 'stopped') await this.letGo();
    await this.telling.tell({
      type: endingOf(result),
      at: this.telling.seconds(),
      message: closingWords(this.roll.whole, result),
    });
    if (this.options.keepProbing !== true && this.halt === undefined)
      await this.ports.prober.stop();
    return result;
  }

  /** Every step that can be done, in its order. */
  private async round(): Promise<void> {
    const { whole } = this.roll;
    assertOrdered(whole);
    this.done = [];
    this.dependents = dependentsIn(whole);
    this.waiting = new Map(whole.steps.map(({ id, dependsOn }) => [id, dependsOn.length]));
    const roots = whole.steps.filter((step) => step.dependsOn.length === 0);
    await Promise.all(roots.map((step) => this.runFrom(step)));
  }

  /** The run held for somebody who joined: it goes on, as a run that is gone on with, with them in the plan. */
  private async goesOnWithNewcomers(): Promise<boolean> {
    if (!this.roll.hasNewcomers || this.failure !== undefined || this.halt !== undefined)
      return false;
    if (this.options.control?.isPausing === true) return false;
    const { whole: before } = this.roll;
    try {
      // It may have left again.
      await this.roll.look(true);
      await this.takeIn();
      const { whole } = this.roll;
      this.passed = await this.patiently(() => passedSteps(whole, this.ports));
      this.settled = unchangedOf(this.done, before, whole);
      return true;
    } catch (error) {
      if (error instanceof RunHalted) this.halt = error;
      else this.failure = { step: 'nodes that joined', message: messageOf(error) };
      return false;
    }
  }

  private takeIn(): Promise<void> {
    return this.roll.takeIn((plan) => this.patiently(async () => this.options.onJoined?.(plan)));
  }

  /** Tries again while it fails for a reason that passes, as long as a gate is waited for. */
  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    const deadline = this.ports.clock.now() + this.gateTimeoutMs();
    return retriedUntil(this.ports.clock, deadline, work);
  }

  private gateTimeoutMs(): number {
    return (this.options.gateTimeoutSeconds ?? GATE_TIMEOUT_SECONDS) * 1000;
  }

  private async letGo(): Promise<void> {
    try {
      const opened = await openHeldNodes(this.roll.whole, this.ports.kubernetes);
      if (opened.length > 0)
        this.telling.say(`opened for pods again, since they have not moved: ${opened.join(', ')}`);
    } catch (error) {
      const why = messageOf(error);
      this.telling.say(`nodes that have not moved may be cordoned still: ${why}`);
    }
  }

  private async startProbes(): Promise<void> {
    await this.ports.prober.start();
    const known = this.options.brokenBefore;
    const broken = known ?? (await lookBefore(this.roll.whole, this.ports, this.gates.warnings));
    if (known === undefined) await this.options.onBrokenBefore?.(broken);
    this.gates = { ...this.gates, failingBefore: new Set(broken) };
    await this.telling.tell({
      type: 'probe',
      at: this.telling.seconds(),
      message: `probes run on every class of paths${brokenInWords(broken, known !== undefined)}`,
    });
  }

  private watchLosses(): void {
    const { budgets, control } = this.options;
    if (budgets === undefined) return;
    this.losses = new LossWatch({
      prober: this.ports.prober,
      clock: this.ports.clock,
      budgets,
      seconds: () => this.telling.seconds(),
      tell: (event) => void this.telling.tell(event),
      onSpent: (message) => {
        void this.telling.tell({ type: 'finding', at: this.telling.seconds(), message });
        control?.pause();
      },
    });
    // What ends it ends the run as well, at the next call of a step.
    this.losses.run().catch(() => undefined);
  }

  /** Runs the step and then whatever waited for it only. */
  private async runFrom(step: Step): Promise<void> {
    if (this.failure !== undefined || this.halt !== undefined) return;
    const ended = this.settled.has(step.id) ? 'done' : await this.runStep(step);
    if (ended === 'paused') return;
    if (ended !== 'done') {
      this.failure ??= { step: step.id, message: ended.failed };
      await this.telling.step(step, 'failed', ended.failed);
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

  private async runStep(step: Step): Promise<Ended> {
    try {
      const ended = await this.attemptWithWhoIsThere(step);
      await this.losses?.stepEnds(step.id);
      this.running.delete(step.id);
      return ended;
    } catch (error) {
      if (error instanceof RunHalted) {
        this.halt ??= error;
        return 'paused';
      }
      this.running.delete(step.id);
      return { failed: messageOf(error) };
    }
  }

  /** What fails because a node has left is tried again without it, or is void. */
  private async attemptWithWhoIsThere(whole: Step): Promise<Ended> {
    for (;;) {
      const step = this.roll.step(whole);
      if (this.roll.isVoid(step)) {
        await this.telling.step(step, 'already-done', 'void: its node has left the cluster');
        return 'done';
      }
      const ended = await this.attempt(step).catch((error: unknown): Ended => {
        if (error instanceof RunHalted) throw error;
        return { failed: messageOf(error) };
      });
      if (typeof ended === 'string' || this.failure !== undefined) return ended;
      await this.roll.look(true);
      if (this.roll.isAsItWas(step)) return ended;
    }
  }

  private async attempt(step: Step): Promise<Ended> {
    const bound = stepFor(step.action);
    const seen = this.passed.has(step.id)
      ? 'done'
      : await this.retried(step, () => bound.observe(this.contextOf(step)));
    if (seen === 'done') {
      await this.telling.step(step, 'already-done');
      return 'done';
    }
    if (seen !== 'todo') return { failed: seen.blocked };
    const held = await this.heldBefore(step);
    if (held !== undefined) return held;
    this.started.add(step.id);
    this.running.add(step.id);
    await this.losses?.stepBegins(step.id, step.nodes);
    await this.telling.step(step, 'started');
    const context = this.contextOf(step);
    await this.retried(step, () => bound.act(context));
    const verdict = await waitUntil(this.ports.clock, context.deadline, () =>
      this.retried(step, () => this.verifiedHere(step, () => bound.verify(context))),
    );
    if (!verdict.holds)
      return { failed: `not there after ${step.timeoutSeconds} s: ${verdict.message}` };
    await this.telling.step(step, 'done');
    return 'done';
  }

  /** Nobody waits for what a node that has left was to do. */
  private async verifiedHere(step: Step, verify: () => Promise<Verdict>): Promise<Verdict> {
    const verdict = await verify();
    if (verdict.holds) return verdict;
    await this.roll.look();
    if (this.roll.isVoid(step)) throw new Error('its node has left the cluster');
    return verdict;
  }

  /** What keeps the step from starting: a pause, a gate, a failure elsewhere, somebody who joined. */
  private async heldBefore(step: Step): Promise<Ended | undefined> {
    if (this.pausesAt(step)) return 'paused';
    // Before the gates, which may wait for what a stranger's node never comes to; and after, since time has passed.
    const before = await this.strangersBefore(step);
    if (before !== undefined) return { failed: before };
    const waited = await this.gatesHold(step);
    // What is done to many, or once, is done when everybody is known.
    if (waited === 'hold' && !('node' in step.action)) await this.roll.look(true);
    if (typeof waited === 'object') return waited;
    if (this.failure !== undefined) return { failed: `not started: ${this.failure.step} failed` };
    if (!this.roll.isAsItWas(step)) return { failed: 'a node has left the cluster meanwhile' };
    if (waited === 'given-up' || this.halt !== undefined || this.pausesAt(step)) return 'paused';
    const strangers = await this.strangersBefore(step);
    return strangers === undefined ? undefined : { failed: strangers };
  }

  private strangersBefore(step: Step): Promise<string | undefined> {
    return this.retried(step, () => strangersBefore(step, this.roll.plan, this.ports));
  }

  private pausesAt(step: Step): boolean {
    const pauses = this.options.control?.isPausing === true || this.roll.hasNewcomers;
    return pauses && isSafePoint(step);
  }

  private contextOf(step: Step): StepContext {
    const { backups, turns } = this;
    const { plan } = this.roll;
    const ports = this.roll.watching(step, this.options.portsFor?.(step) ?? this.ports);
    return {
      ports,
      plan,
      step,
      backups,
      turns,
      deadline: ports.clock.now() + step.timeoutSeconds * 1000,
      say: (message, node) => this.telling.say(message, node),
    };
  }

  private gatesHold(step: Step): ReturnType<typeof holdGates> {
    return holdGates(step.gates, {
      context: { ...this.gates, plan: this.roll.plan, gone: this.roll.gone },
      deadline: this.ports.clock.now() + this.gateTimeoutMs(),
      isOver: () =>
        this.failure !== undefined ||
        this.halt !== undefined ||
        this.pausesAt(step) ||
        !this.roll.isAsItWas(step),
      tell: async (gate, state, message) => {
        await this.telling.tell({
          type: 'gate',
          at: this.telling.seconds(),
          step: step.id,
          gate,
          state,
          message,
        });
        if (state === 'waiting') await this.roll.look();
      },
    });
  }

  /** Tries again while the failure is one that passes, until the step's time is over. */
  private retried<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const deadline = this.ports.clock.now() + step.timeoutSeconds * 1000;
    return retriedUntil(this.ports.clock, deadline, work, async () => {
      await this.roll.look();
      return this.roll.isVoid(step);
    });
  }

  private result(): RunResult {
    const done = new Set(this.done);
    const reached = this.roll.whole.steps
      .map(({ id }) => id)
      .filter((id) => done.has(id) || this.started.has(id));
    return {
      outcome: this.outcome(),
      done: this.done,
      ...(this.failure === undefined ? {} : { failed: this.failure }),
      ...(this.halt === undefined
        ? {}
        : { halted: { message: this.halt.message, steps: [...this.running] } }),
      reached,
      total: this.roll.whole.steps.length,
      seconds: this.telling.seconds(),
    };
  }

  private outcome(): RunResult['outcome'] {
    if (this.halt !== undefined) return 'halted';
    if (this.failure !== undefined) return 'stopped';
    return this.done.length === this.roll.whole.steps.length ? 'done' : 'paused';
  }
}
