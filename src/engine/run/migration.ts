/**
 * A migration on a real cluster: takes the lease, keeps the plan and the start in the cluster, runs
 * the plan through guarded ports, and leaves a record of how it stands. Any machine goes on from it.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { planWith } from '../../planner/joined-nodes.ts';
import type { ClockPort, KubernetesPort, Ports } from '../../ports/index.ts';
import type { BackupStore } from '../../steps/step-module.ts';
import { bothBackups, clusterBackups } from '../backups.ts';
import { type HeldLease, holdLease } from '../lease/hold-lease.ts';
import type { LossBudgets } from '../probes/budgets.ts';
import { type RunResult, runPlan } from '../run-plan.ts';
import { type AuditSink, auditLog } from './audit-log.ts';
import { type Guard, guardPorts } from './guard-ports.ts';
import { ProgressRecord } from './progress-record.ts';
import { type RunControl, RunHalted } from './run-control.ts';
import { restoreConfig } from './restore-config.ts';
import { keepPlan, keptPlan, readRecord, type RunRecord } from './run-record.ts';

export interface MigrationOptions {
  readonly plan: Plan;
  readonly ports: Ports;
  /** A connection of the lease's own, so that its renewal waits behind nothing. */
  readonly leaseKubernetes?: KubernetesPort;
  /** For the time between renewals: a sleep of it holds no process up. */
  readonly leaseClock?: ClockPort;
  /** Milliseconds since 1970. */
  readonly wallTime: () => number;
  readonly holder: string;
  readonly takeOver?: boolean;
  readonly control: RunControl;
  readonly audit: AuditSink;
  /** Where the audit log lies, for whoever looks for it. */
  readonly auditPlace?: string;
  /** Backups go here besides the cluster. */
  readonly otherBackups?: BackupStore;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onWait?: (message: string) => void;
  readonly gateTimeoutSeconds?: number;
  /** How much the probes may lose before the run pauses. */
  readonly budgets?: LossBudgets;
  /** A node joined: the plan as it is from now on. */
  readonly onGrown?: (plan: Plan) => void;
}

/** What a migration begins with, or goes on from. */
export interface Beginning {
  readonly plan: Plan;
  /** Undefined when nothing was begun with this plan. */
  readonly record: RunRecord | undefined;
}

/**
 * The plan to run: the one given, or the one the cluster keeps. Throws `refused` when another plan
 * is under way, or there is nothing to go on with.
 */
export async function beginningOf(
  kubernetes: KubernetesPort,
  given: Plan | undefined,
): Promise<Beginning> {
  const record = await readRecord(kubernetes);
  if (given !== undefined) {
    if (record === undefined || record.planHash === given.hash) return { plan: given, record };
    if (record.state === 'done') return { plan: given, record: undefined };
    // The way back from it: what was broken before is known, and the rest begins.
    if (given.takesBack === record.planId) return { plan: given, record };
    throw new RegaugeError(
      'refused',
      `${record.planId} is under way on this cluster since ${record.startedAt} (${record.done} of ${record.total} steps), and this plan is ${given.id}`,
      { hint: 'Go on with it: regauge migrate --resume. Or take it back: regauge rollback.' },
    );
  }
  if (record === undefined) {
    throw new RegaugeError('refused', 'no migration was begun on this cluster', {
      hint: 'Make a plan (regauge plan --live --out plan), then: regauge migrate plan/plan.json',
    });
  }
  const plan = await keptPlan(kubernetes, record.planHash);
  if (plan !== undefined) return { plan, record };
  throw new RegaugeError('refused', `the cluster no longer holds ${record.planId} whole`, {
    hint: 'Give its file: regauge migrate plan.json goes on with it.',
  });
}

/** `conflict` when another regauge holds the cluster. */
export async function migrate(options: MigrationOptions): Promise<RunResult> {
  const { ports, plan, onWait } = options;
  const lease = await holdLease({
    kubernetes: options.leaseKubernetes ?? ports.kubernetes,
    clock: ports.clock,
    ...(options.leaseClock === undefined ? {} : { renewClock: options.leaseClock }),
    wallTime: options.wallTime,
    holder: options.holder,
    ...(options.takeOver === undefined ? {} : { takeOver: options.takeOver }),
    ...(onWait === undefined ? {} : { onWait }),
  });
  try {
    // Looked at again: somebody may have begun another plan before we had the lease.
    const { record } = await beginningOf(ports.kubernetes, plan);
    return await run(options, lease, record);
  } catch (error) {
    if (error instanceof RunHalted) return haltedBeforeSteps(error);
    throw error;
  } finally {
    await lease.release();
  }
}

/** While the plan was being kept: no step was looked at. */
function haltedBeforeSteps({ message }: RunHalted): RunResult {
  const halted = { message, steps: [] };
  return { outcome: 'halted', done: [], reached: [], total: 0, seconds: 0, halted };
}

async function run(
  options: MigrationOptions,
  lease: HeldLease,
  before: RunRecord | undefined,
): Promise<RunResult> {
  const { plan, ports, control, wallTime, holder, auditPlace } = options;
  const audit = auditLog(options.audit);
  const guard: Guard = { control, fence: lease, audit };
  const own = guardPorts(ports, guard);
  // Kept and recorded below the guard's log: what is written there are not changes of a step.
  await keepPlan(own.kubernetes, plan);
  const now = new Date(wallTime()).toISOString();
  const earlier = before?.planHash === plan.hash ? before : undefined;
  const joined = earlier?.joined ?? [];
  const progress = new ProgressRecord(
    {
      version: 1,
      planId: plan.id,
      planHash: plan.hash,
      cluster: plan.cluster,
      startedAt: earlier?.startedAt ?? now,
      updatedAt: now,
      state: 'running',
      steps: [],
      done: 0,
      total: planWith(plan, joined).steps.length,
      holder,
      token: lease.token,
      ...(auditPlace === undefined ? {} : { auditLog: auditPlace }),
      ...(before?.brokenBefore === undefined ? {} : { brokenBefore: before.brokenBefore }),
      ...(joined.length === 0 ? {} : { joined: [...joined] }),
    },
    { kubernetes: fenced(ports.kubernetes, guard), clock: own.clock, wallTime },
  );
  await progress.write();
  const onEvent = (event: RunEvent): void => {
    audit.event(event);
    progress.onEvent(event);
    options.onEvent?.(event);
  };
  if (before !== undefined)
    await restoreConfig(plan, own, (message) => onEvent({ type: 'health', at: 0, message }));
  const cluster = clusterBackups(own.kubernetes, plan.takesBack ?? plan.id);
  const result = await runPlan(plan, own, {
    control,
    backups:
      options.otherBackups === undefined ? cluster : bothBackups(cluster, options.otherBackups),
    portsFor: (step) => guardPorts(ports, guard, step.id),
    ...(before?.brokenBefore === undefined ? {} : { brokenBefore: before.brokenBefore }),
    onBrokenBefore: (paths) => progress.write({ brokenBefore: [...paths] }),
    joined,
    onJoined: async (whole) => {
      await progress.write({ joined: [...(whole.joined ?? [])], total: whole.steps.length });
      options.onGrown?.(whole);
    },
    onEvent,
    ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
    ...(options.gateTimeoutSeconds === undefined
      ? {}
      : { gateTimeoutSeconds: options.gateTimeoutSeconds }),
  });
  await progress.finish(endOf(result));
  return result;
}

/** Behind the fence, but not in the audit log, and not ended by a stop: the record tells of it. */
function fenced(kubernetes: KubernetesPort, { fence }: Guard): KubernetesPort {
  const check = async <T>(call: () => Promise<T>): Promise<T> => {
    await fence.check();
    return call();
  };
  return {
    ...kubernetes,
    get: (...args) => kubernetes.get(...args),
    create: (...args) => check(() => kubernetes.create(...args)),
    patch: (...args) => check(() => kubernetes.patch(...args)),
  };
}

function endOf({ outcome, failed, halted }: RunResult): Partial<RunRecord> {
  const message = failed?.message ?? halted?.message;
  const steps = failed === undefined ? (halted?.steps ?? []) : [failed.step];
  const states = { done: 'done', stopped: 'stopped', paused: 'paused', halted: 'stopped' } as const;
  return {
    state: states[outcome],
    steps: [...steps],
    ...(message === undefined ? {} : { message: message.slice(0, MESSAGE_MAX) }),
  };
}

const MESSAGE_MAX = 2_000;
