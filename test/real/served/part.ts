/**
 * The whole journey on a served cluster of each distribution that has no API of its machines, every command
 * a process of its own: what is read through pods on the nodes, a plan of that, `migrate` killed with
 * SIGKILL and finished from elsewhere, `verify`, and the way back.
 */
import { strict as assert } from 'node:assert';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt } from '../../../scripts/prepare.mjs';
import { Random } from '../../../src/base/random.ts';
import { rke2 } from '../../support/rke2.ts';
import { k3s, kubeadm, type Snapshot } from '../../support/snapshots.ts';
import { obtainControlPlane } from '../api/software.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import { type Clients, ServedTwin } from '../clients/served-twin.ts';
import { laneDirectory } from '../lane-directory.ts';
import type { Lane, Part } from '../lane.ts';
import { KilledRuns, makePlan, wellAfter } from '../migrate/killed-runs.ts';
import { Skipped } from '../skipped.ts';

export const SERVED: Part = {
  name: 'served',
  about:
    'the whole journey on a served cluster of K3s, RKE2 or kubeadm, killed once and taken back',
  run: journeys,
};

const CILIUM = '1.18.';
/** After its first change. */
const KILLED_AFTER_MS = { least: 1_000, most: 20_000 };

/** Confs where each keeps them, as paths of a snapshot have them. */
const CLUSTERS: readonly (readonly [name: string, make: () => Snapshot, conf: string])[] = [
  ['k3s', k3s, 'var/lib/rancher/k3s/agent/etc/cni/net.d'],
  ['rke2', rke2, 'etc/cni/net.d'],
  ['kubeadm', kubeadm, 'etc/cni/net.d'],
];

async function journeys(lane: Lane): Promise<void> {
  ensureBuilt();
  const { kubectl } = obtainControlPlane(lane.cache);
  const helm = obtainHelm(lane.cache);
  const { minors } = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const chart = minors.find(({ version }) => version.startsWith(CILIUM));
  if (chart === undefined) throw new Skipped(`there is no chart of Cilium ${CILIUM}x`);
  const random = new Random(lane.options.seed);
  for (const [name, make, conf] of chosen(lane, random)) {
    const { least, most } = KILLED_AFTER_MS;
    const killedAfterMs = least + random.unit() * (most - least);
    const clients: Clients = { kubectl, helm, talosctl: '' };
    const cluster = clusterFile(name, make());
    const twin = await ServedTwin.start(
      clients,
      (started) => {
        lane.onEnd(() => started.end());
      },
      { cluster },
    );
    await journey(lane, twin, { name, conf, chart, killedAfterMs });
    await twin.end();
  }
}

/** One of them, by the seed, unless some are asked for: each takes minutes. */
function chosen(lane: Lane, random: Random): typeof CLUSTERS {
  const asked = CLUSTERS.filter(([name]) => lane.wants(name));
  if (lane.options.only !== undefined) return asked;
  const one = random.pick(asked);
  const all = CLUSTERS.map(([name]) => name).join();
  lane.tell(`${one[0]}, by seed ${lane.options.seed}; all of them: --part served --only ${all}`);
  return [one];
}

function clusterFile(name: string, { objects }: Snapshot): string {
  const directory = laneDirectory();
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${name}.json`);
  const list = { apiVersion: 'v1', kind: 'List', metadata: {}, items: objects };
  writeFileSync(path, JSON.stringify(list));
  return path;
}

interface Journey {
  readonly name: string;
  readonly conf: string;
  readonly chart: { readonly directory: string; readonly version: string };
  readonly killedAfterMs: number;
}

async function journey(
  lane: Lane,
  twin: ServedTwin,
  { name, conf, chart, killedAfterMs }: Journey,
): Promise<void> {
  const check = (what: string, work: () => Promise<void>): Promise<boolean> =>
    lane.check(`${name}: ${what}`, work);
  const regauge = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await twin.run('regauge', args);
    assert.equal(code, 0, stderr.slice(-2_000));
    return stdout;
  };
  const before = await standing(twin);
  await check('a snapshot reads the nodes through pods, and leaves none', async () => {
    const out = await regauge('snapshot', '--host-access', '--out', 'taken', '-o', 'json');
    const { nodes } = JSON.parse(out) as { readonly nodes: readonly { files: string[] }[] };
    const without = nodes.filter(({ files }) => !files.some((file) => file.startsWith(conf)));
    assert.deepEqual(without, []);
    assert.deepEqual(await standing(twin), before);
  });
  await check('check and plan read it live', async () => {
    await regauge('check', '--live', '--fail-on', 'critical', '-o', 'json');
    await makePlan(twin, chart.version);
  });
  const runs = new KilledRuns(twin, ['--yes', '--chart', chart.directory]);
  await check('migrate is killed', () => runs.killed(['plan/plan.json'], killedAfterMs));
  rmSync(join(twin.directory, 'plan'), { recursive: true, force: true });
  await check('it is finished without any file of before', () => runs.finished());
  await check('no node is on the old network or closed', () => wellAfter(twin));
  await check('every path is clear', async () => {
    const { verdict } = JSON.parse(await regauge('verify', '-o', 'json')) as { verdict: string };
    assert.equal(verdict, 'clear');
  });
  await check('it is taken back, and nothing of regauge or Cilium is left', async () => {
    await runs.takenBack();
    assert.deepEqual(await standing(twin), before);
  });
}

/** What a way back has to bring back: what runs on every node, and how nodes are marked and open. */
async function standing(twin: ServedTwin): Promise<unknown> {
  const args = ['get', 'daemonsets,deployments,nodes', '-A', '-o', 'json'];
  const { code, stdout, stderr } = await twin.run('kubectl', args);
  assert.equal(code, 0, stderr);
  const { items } = JSON.parse(stdout) as { readonly items: readonly Standing[] };
  return items
    .map(({ kind, metadata: { namespace, name, labels }, spec }) =>
      kind === 'Node'
        ? { name, labels, taints: spec.taints ?? [], closed: spec.unschedulable ?? false }
        : { name: `${kind} ${namespace ?? ''}/${name}` },
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

interface Standing {
  readonly kind: string;
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly taints?: readonly unknown[]; readonly unschedulable?: boolean };
}
