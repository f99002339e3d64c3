/**
 * Error budgets: how long a class of paths may lose packets, per step and in a whole run, before the
 * run pauses. A budget is spent by the worst single path of its class, not by their sum: users feel
 * the path they are on. What is lost to and from nodes that a step is moving has a budget of its own,
 * since their probes restart as every pod there does.
 */
import { RegaugeError } from '../../base/errors.ts';
import { PATH_CLASSES, type PathClass } from '../../model/rehearsal.ts';

/** The class of the path's far end; or, wherever it leads, a path to or from a node that is moved. */
export type BudgetClass = PathClass | 'moving';

export interface LossBudget {
  /** Milliseconds. */
  readonly stepMs: number;
  readonly runMs: number;
}

export type LossBudgets = Readonly<Record<BudgetClass, LossBudget>>;

/**
 * - pods, host and egress: nothing of a migration touches paths between nodes that are not moved; what
 *   is allowed is a route or tunnel entry that is renewed.
 * - services and node ports: a backend that moves is taken out after its readiness has failed and
 *   every node has heard of it (failure-domains.md 2.4: 1 to 5 s).
 * - names: a resolver waits 5 s and asks again (resolv.conf(5)), so 10 s is what workloads forgive.
 * - the API server: a control plane that restarts stays an endpoint until its lease of 15 s is over
 *   (KK pkg/controlplane/reconcilers/lease.go).
 * - moving: one restart of a pod, or one reboot with room to spare.
 */
export const DEFAULT_BUDGETS: LossBudgets = {
  'pod-old': { stepMs: 2_000, runMs: 10_000 },
  'pod-new': { stepMs: 2_000, runMs: 10_000 },
  host: { stepMs: 1_000, runMs: 5_000 },
  service: { stepMs: 10_000, runMs: 30_000 },
  nodeport: { stepMs: 10_000, runMs: 30_000 },
  'dns-internal': { stepMs: 10_000, runMs: 30_000 },
  'dns-external': { stepMs: 10_000, runMs: 30_000 },
  egress: { stepMs: 2_000, runMs: 10_000 },
  apiserver: { stepMs: 20_000, runMs: 60_000 },
  moving: { stepMs: 300_000, runMs: 600_000 },
};

const CLASSES: readonly BudgetClass[] = [...PATH_CLASSES, 'moving'];
/** Without a share for the run, it gets this many steps' worth. */
const STEPS_PER_RUN = 3;

/** `pod-new=5s`, `service=2s/30s` (step/run), several separated by commas; others stay as they are. */
export function parseBudgets(text: string): LossBudgets {
  const budgets: Record<BudgetClass, LossBudget> = { ...DEFAULT_BUDGETS };
  for (const part of text.split(',')) {
    const [name, step, run] = /^\s*([a-z-]+)=([^/]+?)(?:\/(.+?))?\s*$/.exec(part)?.slice(1) ?? [];
    const found = CLASSES.find((known) => known === name);
    const stepMs = duration(step);
    if (found === undefined || stepMs === undefined) throw notABudget(part);
    const runMs = run === undefined ? stepMs * STEPS_PER_RUN : duration(run);
    if (runMs === undefined) throw notABudget(part);
    budgets[found] = { stepMs, runMs };
  }
  return budgets;
}

function duration(text: string | undefined): number | undefined {
  const [amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text ?? '')?.slice(1) ?? [];
  if (amount === undefined) return undefined;
  return Number(amount) * (unit === 'ms' ? 1 : unit === 's' ? 1_000 : 60_000);
}

function notABudget(part: string): RegaugeError {
  return new RegaugeError('usage', `${part.trim()} is no error budget, as pod-new=5s is`, {
    hint: `A class (${CLASSES.join(', ')}), what a step may lose, and after a slash what the run may: service=2s/30s.`,
  });
}
