/**
 * `regauge rollback`: takes a migration back from wherever it stands. How far it came is read from the
 * cluster; the way back is a plan of its own, so it is shown, paused and gone on with like any other.
 */
import { RegaugeError } from '../../base/errors.ts';
import { clusterBackups } from '../../engine/backups.ts';
import { type Beginning, beginningOf } from '../../engine/run/migration.ts';
import { removeOwnObjects } from '../../engine/run/own-objects.ts';
import { newcomersIn } from '../../engine/run/newcomers.ts';
import { reachedSteps } from '../../engine/run/reached-steps.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Plan } from '../../model/plan.ts';
import { planWith } from '../../planner/joined-nodes.ts';
import { rollbackPlan } from '../../planner/rollback-plan.ts';
import type { Ports } from '../../ports/index.ts';
import { type CliContext, EXIT } from '../context.ts';
import type { ChangeFlags } from '../flags.ts';
import { changeCluster, type ChangeWords, refuseUnasked } from '../migration/change-cluster.ts';
import { placeOf, refuseOnPodNetwork } from '../migration/in-pod.ts';
import { type OpenCluster, openRealCluster } from '../migration/real-ports.ts';
import { readPlan } from '../input/plan-file.ts';

const WORDS: ChangeWords = {
  done: ({ cluster, from }) =>
    `${cluster.name} runs on ${from.cni} again; every step is taken back.`,
  goOn: 'regauge rollback',
  otherwise: 'What was taken back stays so.',
  minds: 'nothing',
};

export async function run(this: CliContext, flags: ChangeFlags, ...paths: string[]): Promise<void> {
  this.process.onLongRun?.();
  await rollbackOn(this, flags, paths, openRealCluster);
}

/** With whatever is behind the ports. */
export async function rollbackOn(
  context: CliContext,
  flags: ChangeFlags,
  paths: readonly string[],
  open: OpenCluster,
): Promise<void> {
  refuseUnasked(context, flags);
  const [path] = paths;
  const given = path === undefined ? undefined : readPlan(path);
  const cluster = await open(context, flags);
  try {
    const nodes = await cluster.kubernetes.list<NodeObject>('v1', 'Node');
    refuseOnPodNetwork(placeOf(context.process.env), nodes);
    const there = await beginningOf(cluster.kubernetes, given);
    const opened = await cluster.portsFor(there.plan, nodes);
    try {
      const beginning = await wayBack(there, nodes, opened.ports);
      const all = { context, flags, cluster, opened, beginning, nodes, words: WORDS };
      await changeCluster(all);
      if (context.process.exitCode === EXIT.clean) await tidy(context, opened.ports);
    } finally {
      await opened.close();
    }
  } finally {
    await cluster.close();
  }
}

/** One that is under way is gone on with, as it was made; a new one knows every node that joined. */
async function wayBack(
  { plan: made, record }: Beginning,
  nodes: readonly NodeObject[],
  ports: Ports,
): Promise<Beginning> {
  if (made.takesBack !== undefined) return { plan: made, record };
  const taken = planWith(made, record?.joined ?? []);
  const plan = planWith(taken, newcomersIn(taken, nodes));
  const reached = await reachedSteps(plan, ports, clusterBackups(ports.kubernetes, plan.id));
  refuseNothing(plan, reached);
  return { plan: rollbackPlan(plan, reached), record: undefined };
}

function refuseNothing(plan: Plan, reached: ReadonlySet<string>): void {
  if (plan.steps.some(({ id, undo }) => undo !== null && reached.has(id))) return;
  throw new RegaugeError(
    'refused',
    `nothing of ${plan.id} was done, so there is nothing to take back`,
  );
}

async function tidy({ process }: CliContext, { kubernetes }: Ports): Promise<void> {
  const foreign = await removeOwnObjects(kubernetes);
  process.stderr.write(
    foreign.length === 0
      ? 'Nothing of regauge is left in the cluster.\n'
      : `The namespace regauge-system stays, for what others have in it: ${foreign.join(', ')}.\n`,
  );
}
