/**
 * The whole journey on served clusters of K3s, RKE2 and kubeadm, as a user goes it: what is read over the
 * wire is what the cluster is, the plan made of that can be carried out by pods on the nodes, paused, gone
 * on with from another machine, and taken back.
 */
import { EventEmitter, once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { readPlan } from '../src/cli/input/plan-file.ts';
import { rehearsal } from '../src/model/schema/rehearsal.ts';
import { status } from '../src/model/schema/status.ts';
import type { TwinWorld } from '../src/twin/scenario/build-world.ts';
import { rke2 } from './support/rke2.ts';
import { type Ran, ServedCluster } from './support/served-cluster.ts';
import { k3s, kubeadm, read, type Snapshot } from './support/snapshots.ts';

let cluster: ServedCluster;

afterEach(() => cluster.close());

const CONF_DIRECTORIES = ['/etc/cni/net.d', '/var/lib/rancher/k3s/agent/etc/cni/net.d'];
const TOLD = ['/etc/rancher/k3s/config.yaml.d', '/etc/rancher/rke2/config.yaml.d'];

/** What somebody would compare before and after: confs, what the service is told, marks, programs, networks. */
function stateOf(world: TwinWorld): Readonly<Record<string, unknown>> {
  const files = [...world.nodes.values()].map((node) =>
    [...CONF_DIRECTORIES, ...TOLD].map((directory) =>
      (node.files.list(directory) ?? []).toSorted(),
    ),
  );
  const nodes = world.store.list('Node').map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: metadata.labels,
    taints: spec.taints ?? [],
    unschedulable: spec.unschedulable ?? false,
  }));
  const daemonSets = world.store.list('DaemonSet').map(({ metadata }) => metadata.name);
  return { files, nodes, daemonSets: daemonSets.toSorted(), networks: networksOf(world) };
}

/** First two parts of the addresses of pods that the network gave. */
function networksOf(world: TwinWorld): readonly string[] {
  const addresses = world.store
    .list('Pod')
    .filter(({ spec, status: { podIP } }) => spec.hostNetwork !== true && podIP !== undefined)
    .map(({ status: { podIP = '' } }) => podIP.split('.').slice(0, 2).join('.'));
  return [...new Set(addresses)].toSorted();
}

function well({ status: code, err }: Ran, expected = 0): void {
  if (code !== expected) throw new Error(`exit ${code}, not ${expected}\n${err}`);
}

async function planned(): Promise<string> {
  well(await cluster.regauge('snapshot', '--out', cluster.path('taken'), '-o', 'json'));
  const checked = await cluster.regauge('check', '--live', '-o', 'json', '--fail-on', 'critical');
  expect(checked.out).toContain('"kind": "CheckReport"');
  well(checked);
  const rehearsed = await cluster.regauge('rehearse', cluster.path('taken'), '-o', 'json');
  expect(rehearsal.parse(JSON.parse(rehearsed.out)).failures).toEqual([]);
  const out = cluster.path('plan');
  well(await cluster.regauge('plan', '--live', '--cilium-version', '1.18.3', '--out', out));
  return `${out}/plan.json`;
}

/** Of the whole cluster, as `regauge status -o json` prints it. */
async function ownersNow(): Promise<ReadonlySet<string>> {
  const { out } = await cluster.regauge('status', '-o', 'json');
  return new Set(status.parse(JSON.parse(out)).nodes.map(({ owner }) => owner));
}

/** Until it moves nodes; then as Ctrl-C does it. */
async function pausedWhileMoving(plan: string): Promise<Ran> {
  const moving = new EventEmitter();
  const run = cluster.migrate([plan], ({ type, phase, step, event }) => {
    if (type === 'step' && phase === 'move-nodes') moving.emit('begun', step ?? event);
  });
  await Promise.race([once(moving, 'begun'), run]);
  process.emit('SIGINT');
  return run;
}

describe.each([
  ['K3s', k3s],
  ['RKE2 with Canal', rke2],
  ['kubeadm', kubeadm],
] satisfies readonly (readonly [string, () => Snapshot])[])('%s, served', (_name, snapshot) => {
  it('is read, planned, moved in two runs, and taken back', async () => {
    cluster = await ServedCluster.of(read(snapshot()));
    const { world } = cluster;
    const before = stateOf(world);
    const plan = await planned();
    const { to } = readPlan(plan);
    expect(readFileSync(plan, 'utf8')).not.toContain('<redacted>');
    const paused = await pausedWhileMoving(plan);
    well(paused, 130);
    expect(paused.err).toContain('regauge migrate --resume');
    rmSync(cluster.path('plan'), { recursive: true });
    const resumed = await cluster.migrate([]);
    well(resumed);
    expect(resumed.err).toContain('every step is done');
    const moved = to.podCidrs.map((range) => range.split('.').slice(0, 2).join('.'));
    expect(networksOf(world)).toEqual(moved);
    expect([...(await ownersNow())].filter((owner) => owner === 'old' || owner === 'both')).toEqual(
      [],
    );
    well(await cluster.rollback());
    expect(stateOf(world)).toEqual(before);
    const own = world.store.get<string>('Namespace', undefined, 'regauge-system');
    expect(own === undefined || own.metadata.deletionTimestamp !== undefined).toBe(true);
  });
});
