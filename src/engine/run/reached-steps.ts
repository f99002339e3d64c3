/**
 * How far a plan came, as the cluster shows it: where the way back starts from. A step counts as soon
 * as it may have begun, since what was not done is nothing to take back; a step beyond that must not,
 * since taking back what was never done would be a change of its own.
 */
import type { ActionKind, Plan, Step } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import { OwnerTurns } from '../../steps/owner-turns.ts';
import { stepFor } from '../../steps/registry.ts';
import type { BackupStore } from '../../steps/step-module.ts';
import { begunSteps } from './evidence.ts';

/** How long one look may take (milliseconds). */
const LOOK_MS = 120_000;

export async function reachedSteps(
  plan: Plan,
  ports: Ports,
  backups: BackupStore,
): Promise<ReadonlySet<string>> {
  const reached = new Set(await begunSteps(plan, ports));
  /** Done, as far as what follows is concerned. */
  const behind = new Set<string>();
  const turns = new OwnerTurns();
  for (const step of plan.steps) {
    if (!step.dependsOn.every((id) => behind.has(id))) continue;
    if (!reached.has(step.id)) {
      reached.add(step.id);
      if (!(await isDone(step))) continue;
    }
    behind.add(step.id);
  }
  return reached;

  async function isDone(step: Step): Promise<boolean> {
    if (leavesNoTrace(step)) return true;
    const seen = await stepFor(step.action).observe({
      ports,
      plan,
      step,
      backups,
      turns,
      deadline: ports.clock.now() + LOOK_MS,
      say: () => undefined,
    });
    return seen === 'done';
  }
}

const TRACELESS: ReadonlySet<ActionKind> = new Set([
  'verify',
  'move-probe',
  'audit-policies',
  'prove-policies',
]);

/** Whether it was done cannot be seen, and nothing is to be taken back. */
function leavesNoTrace({ action }: Step): boolean {
  return (
    TRACELESS.has(action.kind) ||
    (action.kind === 'change-node-files' && action.cleanKubeProxyRules) ||
    (action.kind === 'clean-packet-filter' && action.nftTables.length > 0)
  );
}
