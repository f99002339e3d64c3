/**
 * One rehearsal in which things go wrong: a twin, a plan, faults that strike at steps, and somebody
 * who runs the plan again when it was killed or has stopped and the fault is over.
 */
import { Random } from '../../base/random.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { AuditSink } from '../../engine/run/audit-log.ts';
import { migrate } from '../../engine/run/migration.ts';
import { RunControl } from '../../engine/run/run-control.ts';
import type { RunResult } from '../../engine/run-plan.ts';
import type { FaultStrike } from '../../model/fault.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { Plan } from '../../model/plan.ts';
import type { Assumption, NodeHistory } from '../../model/rehearsal.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { Ports } from '../../ports/index.ts';
import type { ExecutorControl } from '../../twin/faults/fault.ts';
import { requireFault, showStrike } from '../../twin/faults/fault-text.ts';
import { Processes } from '../../twin/faults/processes.ts';
import { Weather, type Wire } from '../../twin/faults/wire.ts';
import {
  createObserver,
  type ObservationReport,
  type Observer,
} from '../../twin/observer/create-observer.ts';
import { type NodeHistoryRecorder, recordNodeHistories } from '../../twin/observer/node-history.ts';
import { createTwinPorts } from '../../twin/ports/create-twin-ports.ts';
import { createProber } from '../../twin/ports/prober.ts';
import { buildWorld, type TwinWorld } from '../../twin/scenario/build-world.ts';

export interface FaultedCase {
  readonly input: ClusterInput;
  readonly plan: Plan;
  readonly seed: number;
  readonly strikes: readonly FaultStrike[];
  readonly onEvent?: (event: RunEvent) => void;
  /** Keeps how each node fared, for a report. */
  readonly recordsNodes?: boolean;
}

export interface Attempt {
  readonly end: 'done' | 'stopped' | 'killed';
  /** Where it stopped, and why. */
  readonly failed?: { readonly step: string; readonly message: string };
}

export interface FaultedRun {
  readonly attempts: readonly Attempt[];
  /** When each fault struck (virtual milliseconds); undefined where its step never began. */
  readonly struckAt: readonly (number | undefined)[];
  /** Steps that began and have an undo. */
  readonly undoable: readonly string[];
  /** A fault is in force still, and no end of it is to be seen. */
  readonly lasting: boolean;
  readonly makespanSeconds: number;
  /** Until when the twin was watched (virtual milliseconds). */
  readonly watchedUntil: number;
  readonly report: ObservationReport;
  readonly world: TwinWorld;
  readonly assumptions: readonly Assumption[];
  readonly nodeHistories: readonly NodeHistory[];
  /** A mistake of the program: it threw, or never ended. */
  readonly crash?: string;
}

/** How often somebody runs a plan again that has stopped. */
const RUNS_MAX = 4;
/**
 * Virtual time that passes after the end, so that what is stuck shows (seconds). What was refused for long
 * is asked for again by its controller after up to 1,000 s: until then it is late, not stuck.
 */
const SETTLE_SECONDS = { done: 60, stopped: 1_030 };
/** Nobody waits longer for a migration to end (seconds). */
const PATIENCE_SECONDS = 24 * 3600;
/**
 * Who finds it stopped looks again soon, and later when that did not help: a controller that was refused
 * again and again tries after up to 1,000 s (KK workqueue.DefaultControllerRateLimiter).
 */
const LOOK_AGAIN_SECONDS = [30, 300, 1_000] as const;

export function runWithFaults(given: FaultedCase): Promise<FaultedRun> {
  return new Rehearsal(given).run();
}

class Rehearsal {
  private readonly given: FaultedCase;
  private readonly world: TwinWorld;
  private readonly assumptions: readonly Assumption[];
  private readonly histories: NodeHistoryRecorder | undefined;
  private readonly ports: Ports;
  private readonly observer: Observer;
  private readonly weather: Weather;
  private readonly processes = new Processes();
  private readonly struckAt: (number | undefined)[];
  private readonly attempts: Attempt[] = [];
  private readonly others: Promise<unknown>[] = [];
  private readonly begun = new Set<string>();
  private quietAt = 0;
  private lasting = false;
  private current:
    { readonly wire: Wire; readonly killed: (backAfterMs: number) => void } | undefined;

  constructor(given: FaultedCase) {
    this.given = given;
    const wrapPrograms = this.processes.wrap.bind(this.processes);
    const built = buildWorld(given.input, { seed: given.seed, wrapPrograms });
    this.world = built.world;
    this.assumptions = built.assumptions;
    if (given.recordsNodes === true) this.histories = recordNodeHistories(built.world, 'flannel');
    const prober = createProber(this.world);
    this.ports = { ...createTwinPorts(this.world), prober };
    this.observer = createObserver(this.world, prober);
    this.weather = new Weather(this.world.kernel);
    this.struckAt = given.strikes.map(() => undefined);
  }

  async run(): Promise<FaultedRun> {
    const { kernel } = this.world;
    let crash: string | undefined;
    let makespanSeconds = 0;
    try {
      await kernel.drive(async () => {
        const outcome = await Promise.race([this.toTheEnd(), this.patience()]);
        if (outcome === 'late') crash = `it had not ended after ${PATIENCE_SECONDS / 3600} h`;
        makespanSeconds = kernel.now() / 1000;
        await this.settle();
      });
    } catch (error) {
      crash = error instanceof Error ? error.message : String(error);
    }
    const { attempts, struckAt, lasting, world, begun } = this;
    const { steps } = this.given.plan;
    return {
      undoable: steps.filter(({ id, undo }) => undo !== null && begun.has(id)).map(({ id }) => id),
      attempts,
      struckAt,
      lasting,
      makespanSeconds,
      watchedUntil: kernel.now(),
      report: this.observer.finish(),
      world,
      assumptions: this.assumptions,
      nodeHistories: this.histories?.histories() ?? [],
      ...(crash === undefined ? {} : { crash }),
    };
  }

  private async patience(): Promise<'late'> {
    await this.ports.clock.sleep(PATIENCE_SECONDS * 1000);
    return 'late';
  }

  private async toTheEnd(): Promise<'ended'> {
    for (let runs = 0; runs < RUNS_MAX; runs += 1) {
      const attempt = await this.attempt();
      this.attempts.push(attempt);
      if (attempt.end === 'done') break;
      if (attempt.end === 'stopped' && this.lasting) break;
      if (attempt.end === 'stopped') await this.untilQuiet();
    }
    await Promise.all(this.others);
    return 'ended';
  }

  /** Somebody who finds it stopped waits until what was wrong is over, and runs it again. */
  private untilQuiet(): Promise<void> {
    const left = Math.max(0, this.quietAt - this.world.kernel.now());
    const stopped = this.attempts.filter(({ end }) => end === 'stopped').length;
    const again = LOOK_AGAIN_SECONDS[Math.min(stopped, LOOK_AGAIN_SECONDS.length) - 1] ?? 0;
    return this.ports.clock.sleep(left + again * 1000);
  }

  private async attempt(): Promise<Attempt> {
    const { kernel } = this.world;
    const wire = this.weather.wire();
    const killed = kernel.deferred<number>();
    this.current = { wire, killed: (backAfterMs) => killed.resolve(backAfterMs) };
    const running = this.execute(wire, `executor-${this.attempts.length + 1}`);
    const end = await Promise.race([running, killed.promise]);
    this.current = undefined;
    if (typeof end === 'number') {
      await this.ports.clock.sleep(end);
      return { end: 'killed' };
    }
    return end;
  }

  /** As `regauge migrate` does: with a lease, and a record in the cluster. */
  private async execute(wire: Wire, holder: string): Promise<Attempt> {
    const { kernel } = this.world;
    try {
      const result = await migrate({
        plan: this.given.plan,
        ports: wire.around(this.ports),
        wallTime: () => kernel.epochMs + kernel.now(),
        holder,
        control: new RunControl(),
        audit: NO_AUDIT,
        onEvent: (event) => this.heard(event),
      });
      return attemptOf(result);
    } catch (error) {
      // It could not begin; whatever else is thrown is a mistake of ours.
      if (!(error instanceof RegaugeError)) throw error;
      return { end: 'stopped', failed: { step: 'the beginning', message: error.message } };
    }
  }

  private heard(event: RunEvent): void {
    this.given.onEvent?.(event);
    if (event.type !== 'step') return;
    if (event.state === 'started') this.begun.add(event.step);
    for (const [index, strike] of this.given.strikes.entries()) {
      if (strike.step !== event.step || this.struckAt[index] !== undefined) continue;
      const { kernel } = this.world;
      this.struckAt[index] = kernel.now() + strike.after * 1000;
      kernel.after(strike.after * 1000, () => this.strike(strike, index));
    }
  }

  private strike(strike: FaultStrike, index: number): void {
    const { world } = this;
    const ending = strikeWorld(strike, index, {
      world,
      weather: this.weather,
      processes: this.processes,
      executor: this.executorControl(),
      seed: this.given.seed,
    });
    if (ending === 'lasting') this.lasting = true;
    else this.quietAt = Math.max(this.quietAt, world.kernel.now() + ending.overAfterMs);
  }

  private executorControl(): ExecutorControl {
    return {
      kill: ({ afterCalls, backAfterMs }) => {
        const { current } = this;
        if (current === undefined) return;
        const die = (): void => {
          current.wire.cut();
          current.killed(backAfterMs);
        };
        if (afterCalls === 0) die();
        else current.wire.afterCalls(afterCalls, die);
      },
      startAnother: () => {
        this.others.push(this.execute(this.weather.wire(), `another-${this.others.length + 1}`));
      },
    };
  }

  /** Until what is stuck shows: also what a fault left that outlasts the run, or strikes after it. */
  private async settle(): Promise<void> {
    const { kernel } = this.world;
    const done = this.attempts.at(-1)?.end === 'done';
    const from = kernel.now();
    const until = (): number => {
      const wait = done && this.quietAt <= from ? SETTLE_SECONDS.done : SETTLE_SECONDS.stopped;
      return Math.max(from, this.quietAt) + wait * 1000;
    };
    while (until() > kernel.now()) await this.ports.clock.sleep(until() - kernel.now());
  }
}

export interface StrikeScene {
  readonly world: TwinWorld;
  readonly weather: Weather;
  readonly processes: Processes;
  readonly executor: ExecutorControl;
  readonly seed: number;
}

/** Lets the fault strike now; what it draws is of its own. */
export function strikeWorld(strike: FaultStrike, index: number, scene: StrikeScene) {
  const { world } = scene;
  const fault = requireFault(strike.fault);
  const node = strike.node ?? '';
  return world.kernel.because([], () => {
    world.kernel.occur('fault.struck', {
      ...(node === '' ? {} : { node }),
      message: `${fault.title} (${showStrike(strike)})`,
    });
    return fault.strike(
      { ...scene, random: new Random(scene.seed).fork(`${strike.fault} ${index}`) },
      { node, value: (name) => strike.parameters[name] ?? fault.parameters[name]?.usual ?? 0 },
    );
  });
}

function attemptOf({ outcome, failed, halted }: RunResult): Attempt {
  if (outcome === 'done') return { end: 'done' };
  const within = halted === undefined ? undefined : halted.steps[0];
  const halt = halted && { step: within ?? 'between steps', message: halted.message };
  const why = failed ?? halt;
  return { end: 'stopped', ...(why === undefined ? {} : { failed: why }) };
}

/** Nobody reads what a rehearsal changed. */
const NO_AUDIT: AuditSink = { append: () => Promise.resolve() };
