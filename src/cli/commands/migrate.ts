/** `regauge migrate`: a plan, executed on the cluster. */
import { RegaugeError } from '../../base/errors.ts';
import { beginningOf } from '../../engine/run/migration.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Plan } from '../../model/plan.ts';
import type { CliContext } from '../context.ts';
import type { MigrateFlags } from '../flags.ts';
import { changeCluster, type ChangeWords, refuseUnasked } from '../migration/change-cluster.ts';
import { placeOf, refuseOnPodNetwork } from '../migration/in-pod.ts';
import { type OpenCluster, openRealCluster } from '../migration/real-ports.ts';
import { readPlan } from '../input/plan-file.ts';

const WORDS: ChangeWords = {
  done: ({ cluster, to }) => `${cluster.name} runs on ${to.cni} ${to.version}; every step is done.`,
  goOn: 'regauge migrate --resume',
  otherwise: 'To go back: regauge rollback.',
  minds: 'drift',
};

export async function run(
  this: CliContext,
  flags: MigrateFlags,
  ...paths: string[]
): Promise<void> {
  this.process.onLongRun?.();
  await migrateOn(this, flags, paths, openRealCluster);
}

/** With whatever is behind the ports. */
export async function migrateOn(
  context: CliContext,
  flags: MigrateFlags,
  paths: readonly string[],
  open: OpenCluster,
): Promise<void> {
  const [path] = paths;
  if (path === undefined && !flags.resume) {
    throw new RegaugeError('usage', 'no plan was given', {
      hint: 'regauge migrate plan.json, or regauge migrate --resume to go on with the one under way.',
    });
  }
  refuseUnasked(context, flags);
  const given = path === undefined ? undefined : readPlan(path);
  const cluster = await open(context, flags);
  try {
    const nodes = await cluster.kubernetes.list<NodeObject>('v1', 'Node');
    refuseOnPodNetwork(placeOf(context.process.env), nodes);
    const beginning = await beginningOf(cluster.kubernetes, given);
    refuseWayBack(beginning.plan);
    const opened = await cluster.portsFor(beginning.plan, nodes);
    try {
      await changeCluster({ context, flags, cluster, opened, beginning, nodes, words: WORDS });
    } finally {
      await opened.close();
    }
  } finally {
    await cluster.close();
  }
}

function refuseWayBack({ id, takesBack }: Plan): void {
  if (takesBack === undefined) return;
  throw new RegaugeError(
    'refused',
    `${id} is under way on this cluster: it takes ${takesBack} back`,
    {
      hint: 'Go on with it: regauge rollback.',
    },
  );
}
