/** What a run is given, and what it comes to. */
import type { JoinedNode, Plan, Step } from '../../model/plan.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { Ports } from '../../ports/index.ts';
import type { BackupStore } from '../../steps/step-module.ts';
import type { LossBudgets } from '../probes/budgets.ts';
import type { RunControl } from './run-control.ts';

export interface RunOptions {
  readonly onEvent?: (event: RunEvent) => void;
  readonly backups?: BackupStore;
  /** Written before the act it tells of; a real run keeps it on disk. */
  readonly journal?: { write(event: RunEvent): Promise<void> };
  /** How long a gate may fail to hold before the run stops (seconds). */
  readonly gateTimeoutSeconds?: number;
  /** Whoever called reads the probes after the run, and stops them. */
  readonly keepProbing?: boolean;
  /** By which somebody pauses or stops the run. */
  readonly control?: RunControl;
  /** The ports as a step may use them; those of the run when absent. */
  readonly portsFor?: (step: Step) => Ports;
  /** What was broken before a run's first step, where an earlier run looked: paths (`pathKey`), complaints. */
  readonly brokenBefore?: readonly string[];
  /** How much the probes may lose before the run pauses; without them, losses are not watched. */
  readonly budgets?: LossBudgets;
  /** What was broken before the first step, before anything is changed. */
  readonly onBrokenBefore?: (paths: readonly string[]) => Promise<void>;
  /** Nodes that joined in an earlier run, and are in the plan since. */
  readonly joined?: readonly JoinedNode[];
  /** The plan with all that joined up to now, before anything is done with the last of them. */
  readonly onJoined?: (plan: Plan) => Promise<void>;
}

export interface RunResult {
  /** `paused`: as asked, at a safe point. `halted`: ended from outside, in the middle of something. */
  readonly outcome: 'done' | 'stopped' | 'paused' | 'halted';
  /** Steps that are done, in the order they were. */
  readonly done: readonly string[];
  readonly failed?: { readonly step: string; readonly message: string };
  /** Why it was halted, and the steps it was in the middle of. */
  readonly halted?: { readonly message: string; readonly steps: readonly string[] };
  /** Steps that are done or began, in the plan's order: what the way back starts from. */
  readonly reached: readonly string[];
  /** How many there are, with those of nodes that joined. */
  readonly total: number;
  readonly seconds: number;
}
