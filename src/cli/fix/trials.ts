/**
 * A trial: the plan that changes lead to, rehearsed, with the same seeds each time. Without faults all of
 * its rehearsals must end clean; in a sweep nothing may break, and what broke before is played first.
 */
import { RegaugeError } from '../../base/errors.ts';
import { sweepFaults, sweepNodesOf } from '../faults/sweep.ts';
import { rehearseCase } from '../faults/judge.ts';
import { choiceOf, threadsFor } from '../faults/sweep-command.ts';
import type { FaultStrike } from '../../model/fault.ts';
import type { FaultedResult } from '../../model/fault-sweep.ts';
import type { PlanChange, Trial } from '../../model/fix-search.ts';
import type { Plan } from '../../model/plan.ts';
import type { Outcome, Rehearsal } from '../../model/rehearsal.ts';
import type { CliContext } from '../context.ts';
import { planAsked } from '../input/plan-asked.ts';
import { clusterIn, type ClusterRead } from '../input/read-cluster.ts';
import { rehearse } from '../rehearsal-session.ts';
import { type Given, withChanges } from './candidates.ts';

export interface TrialOptions {
  readonly seed: number;
  readonly rehearsals: number;
}

/** Of the cases that broke before, so many are played before a whole sweep is. */
const PLAYED_FIRST = 5;
const GRAVER: readonly Outcome[] = ['clean', 'degraded', 'stuck', 'harmful'];

export class Trials {
  private readonly context: CliContext;
  private readonly given: Given;
  private readonly options: TrialOptions;
  private readonly read: ClusterRead;
  /** What broke in the sweep without changes. */
  private brokenBefore: readonly FaultedResult[] = [];

  constructor(context: CliContext, given: Given, read: ClusterRead, options: TrialOptions) {
    this.context = context;
    this.given = given;
    this.read = read;
    this.options = options;
  }

  get ofSweep(): boolean {
    return this.given.flags.faults === true;
  }

  /** Throws what keeps any plan from being made: input that is not there. */
  async first(): Promise<Trial> {
    return this.attempt(this.given, this.read, (error) => error.code === 'refused');
  }

  async of(changes: readonly PlanChange[]): Promise<Trial> {
    const changed = withChanges(this.given, changes);
    if (changed === undefined)
      return { verdict: 'refused', why: 'the patch does not fit the file' };
    try {
      // Most changes leave what was read as it is.
      const read =
        changed.material === this.given.material ? this.read : clusterIn(changed.material);
      return await this.attempt(changed, read, () => true);
    } catch (error) {
      return refused(error);
    }
  }

  private async attempt(
    given: Given,
    read: ClusterRead,
    isAnswer: (error: RegaugeError) => boolean,
  ): Promise<Trial> {
    let plan: Plan;
    try {
      plan = planAsked(given.flags, read);
    } catch (error) {
      if (error instanceof RegaugeError && isAnswer(error)) return refused(error);
      throw error;
    }
    return this.ofSweep ? this.sweep(given, read, plan) : this.rehearse(read, plan);
  }

  private async rehearse({ input }: ClusterRead, plan: Plan): Promise<Trial> {
    let worst: Rehearsal | undefined;
    let makespanSeconds = 0;
    let podOutageSeconds = 0;
    for (let number = 0; number < this.options.rehearsals; number += 1) {
      const { rehearsal } = await rehearse({ input, plan, seed: this.options.seed + number });
      const { summary, outcome } = rehearsal;
      makespanSeconds = Math.max(makespanSeconds, summary.makespanSeconds);
      podOutageSeconds = Math.max(podOutageSeconds, summary.podOutageSeconds.max);
      if (worst === undefined || GRAVER.indexOf(outcome) > GRAVER.indexOf(worst.outcome))
        worst = rehearsal;
    }
    const outcome = worst?.outcome ?? 'clean';
    return {
      verdict: outcome === 'clean' ? 'clean' : 'not-clean',
      outcome,
      makespanSeconds,
      podOutageSeconds,
      ...(worst === undefined || outcome === 'clean' ? {} : { why: whyOf(worst) }),
    };
  }

  private async sweep(given: Given, read: ClusterRead, plan: Plan): Promise<Trial> {
    const isFirst = given === this.given;
    const again = isFirst ? undefined : await this.breaksAgain(read, plan);
    if (again !== undefined) return { verdict: 'not-clean', why: again };
    const { seed, rehearsals } = this.options;
    const results: FaultedResult[] = [];
    // Nobody asks for the smallest counter-example of a trial.
    const enough = new AbortController();
    const swept = await sweepFaults({
      input: read.input,
      plan,
      ...choiceOf(given.flags.fault ?? [], plan),
      seed,
      rehearsals,
      threads: threadsFor(this.context, given.flags, given, rehearsals),
      commandFor: () => '',
      onResult: (result, done) => {
        results.push(result);
        if (done === rehearsals) enough.abort();
      },
      signal: enough.signal,
    });
    const broken = results
      .filter(({ outcome }) => outcome === 'broken')
      .toSorted((left, right) => left.index - right.index);
    if (isFirst) this.brokenBefore = broken;
    const [first] = broken;
    return {
      verdict: first === undefined ? 'clean' : 'not-clean',
      outcomes: swept.outcomes,
      makespanSeconds: swept.makespanSeconds.p50,
      podOutageSeconds: swept.podOutageSeconds.p99,
      ...(first === undefined ? {} : { why: brokeIn(first) }),
    };
  }

  /** Why one of the cases that broke before breaks under this plan too. */
  private async breaksAgain({ input }: ClusterRead, plan: Plan): Promise<string | undefined> {
    const steps = new Set(plan.steps.map(({ id }) => id));
    const nodes = new Set(sweepNodesOf(input).map(({ name }) => name));
    const fits = ({ step, node }: FaultStrike): boolean =>
      steps.has(step) && (node === undefined || nodes.has(node));
    for (const { index, seed, strikes } of this.brokenBefore.slice(0, PLAYED_FIRST)) {
      if (!strikes.every(fits)) continue;
      const result = await rehearseCase({ input, plan, seed, strikes }, index);
      if (result.outcome === 'broken') return brokeIn(result);
    }
    return undefined;
  }
}

function refused(error: unknown): Trial {
  if (error instanceof RegaugeError) return { verdict: 'refused', why: error.message };
  throw error;
}

function brokeIn({ seed, broke }: FaultedResult): string {
  const [first] = broke;
  return `${first?.what ?? 'broken'} (seed ${seed}): ${first?.message ?? ''}`;
}

function whyOf({ failures, invariants, failedSteps, summary }: Rehearsal): string {
  const [step] = failedSteps;
  if (step !== undefined) return `${step.title}: ${step.message}`;
  const broken = invariants.find(({ held }) => !held);
  if (broken !== undefined) return `${broken.name}: ${broken.firstViolation?.message ?? ''}`;
  const [failure] = failures;
  if (failure !== undefined)
    return `${failure.subject.kind} ${failure.subject.name}: ${failure.message}`;
  return `a pod restarts ${summary.maxRestartsPerPod} times`;
}
