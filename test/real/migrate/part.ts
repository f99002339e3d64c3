/**
 * `regauge migrate` as a user runs it, on a real API server with real controllers, scheduler and Helm,
 * the twin playing the nodes. It is killed twice with SIGKILL and finished from a machine that has
 * neither the plan nor any file of the first runs.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from '../../../scripts/prepare.mjs';
import { Random } from '../../../src/base/random.ts';
import { tinyCluster, TWO_WEBS } from '../../support/small-cluster.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import type { Lane, Part } from '../lane.ts';
import { FLANNEL_RANGE, serveCrds, startTwinNodes } from '../nodes/twin-nodes.ts';
import { Skipped } from '../skipped.ts';
import { backOnOld, KilledRuns, makePlan, wellAfter } from './killed-runs.ts';

export const MIGRATE: Part = {
  name: 'migrate',
  about: 'migrate on a real API server, killed twice and finished from elsewhere',
  run: migrateKilled,
};

const CILIUM = '1.18.';
/** Virtual seconds per second: the migration of three nodes takes about a minute. */
const SPEED = 20;
const KILLED_AFTER_MS = { least: 10_000, most: 40_000 };

async function migrateKilled(lane: Lane): Promise<void> {
  ensureBuilt();
  const helm = obtainHelm(lane.cache);
  const charts = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const chart = charts.minors.find(({ version }) => version.startsWith(CILIUM));
  if (chart === undefined) throw new Skipped(`there is no chart of Cilium ${CILIUM}x`);
  const nodes = await startTwinNodes(lane, helm, tinyCluster({ workloads: [TWO_WEBS] }), SPEED);
  await serveCrds(nodes, chart.crds);
  const { desk, port, failures } = nodes;
  const random = new Random(lane.options.seed);
  const wait = (): number =>
    KILLED_AFTER_MS.least + random.unit() * (KILLED_AFTER_MS.most - KILLED_AFTER_MS.least);
  const runs = new KilledRuns(desk, ['--yes', '--chart', chart.directory]);
  await lane.check('a plan is made of the cluster', () => makePlan(desk, chart.version));
  await lane.check('migrate is killed', () => runs.killed(['plan/plan.json'], wait()));
  await lane.check('going on is killed too, and waited for the lease of the dead one', () =>
    runs.killed(['--resume'], wait()),
  );
  rmSync(join(desk.directory, 'plan'), { recursive: true, force: true });
  await lane.check('it is finished without any file of before', () => runs.finished());
  await lane.check('no node is on the old network or closed, and Helm has no revision twice', () =>
    wellAfter(desk),
  );
  await lane.check('it is taken back, and nothing of regauge is left', async () => {
    await runs.takenBack();
    await backOnOld(port, FLANNEL_RANGE);
  });
  await lane.check('the nodes wrote nothing that the server refused', () => {
    if (failures.length > 0) throw failures[0];
  });
}
