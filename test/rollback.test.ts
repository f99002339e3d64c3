/**
 * The way back from every point of a plan, on the twin of the post-mortem cluster: however far the
 * run came, the cluster ends on Flannel and kube-proxy as it began, with no mark of regauge on it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { rehearseRollbacks } from '../src/cli/rollback-rehearsal.ts';
import { memoryBackups } from '../src/engine/backups.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { reachedSteps } from '../src/engine/run/reached-steps.ts';
import { undoRun } from '../src/engine/undo-run.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { Plan } from '../src/model/plan.ts';
import { networkOf } from '../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { leftInFilter } from '../src/twin/ports/left-in-filter.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { postMortemInput } from './support/post-mortem-input.ts';

const input = postMortemInput();
const { plan } = planFor(input);

/** What somebody would compare before and after: owners and their readiness, files, links, marks. */
function stateOf(world: TwinWorld): Readonly<Record<string, unknown>> {
  const owners = (['DaemonSet', 'Deployment', 'StatefulSet'] as const).flatMap((kind) =>
    world.store
      .list(kind)
      .filter(({ metadata }) => metadata.namespace !== 'regauge-system')
      .map(({ metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`),
  );
  const pods = world.store
    .list('Pod')
    .filter(
      ({ metadata, status }) =>
        metadata.namespace !== 'regauge-system' && status.phase === 'Running',
    )
    .map(
      ({ spec, status }) =>
        `${spec.hostNetwork === true ? 'host' : (status.podIP ?? '').split('.').slice(0, 2).join('.')}`,
    );
  const count = (network: string): number => pods.filter((each) => each === network).length;
  return {
    owners: owners.toSorted(),
    flannelPods: count('10.244'),
    ciliumPods: count('10.245'),
    hostPods: count('host'),
    nodes: world.store.list('Node').map(({ metadata, spec }) => ({
      name: metadata.name,
      labels: metadata.labels,
      unschedulable: spec.unschedulable ?? false,
      taints: spec.taints ?? [],
      marks: Object.keys(metadata.annotations ?? {}).filter((key) => /regauge|migration/.test(key)),
    })),
    confs: [...world.nodes.values()].map(({ files }) => files.list('/etc/cni/net.d')),
    links: [...world.nodes.values()].map(({ network }) =>
      network.links().filter((link) => /flannel|cni0|cilium|lxc_/.test(link)),
    ),
    rules: [...world.nodes.values()].map((node) =>
      leftInFilter(networkOf(node).filter, ['flannel']).tables.map(({ table }) => table),
    ),
    machineConfigs: [...world.nodes.values()].map(({ machine }) => plainly(machine.config())),
  };
}

/** A patch cannot take a key away in every Talos, so the way back says the default where nothing was said. */
function plainly(config: string): unknown {
  const document = parse(config) as {
    cluster?: { network?: { cni?: unknown }; proxy?: { disabled?: boolean } };
  };
  const { cluster } = document;
  if (cluster?.network !== undefined) cluster.network.cni ??= { name: 'flannel' };
  if (cluster?.proxy !== undefined) cluster.proxy.disabled ??= false;
  return document;
}

async function thereAndBack(last: string) {
  const { world } = buildWorld(input, { seed: 1 });
  const ports = createTwinPorts(world);
  const backups = memoryBackups();
  const before = stateOf(world);
  const end = plan.steps.findIndex(({ id }) => id === last);
  const part: Plan = { ...plan, steps: plan.steps.slice(0, end + 1) };
  const there = await world.kernel.drive(() => runPlan(part, ports, { backups }));
  const reached = await world.kernel.drive(() => reachedSteps(plan, ports, backups));
  const back = await world.kernel.drive(() => undoRun(plan, reached, ports, { backups }));
  await world.kernel.drive(() => ports.clock.sleep(60_000));
  return { there, back, reached, before, after: stateOf(world) };
}

const points =
  (process.env['ROLLBACK_POINTS'] ?? '').length > 0
    ? plan.steps.map(({ id }) => id)
    : [
        'install-secondary/verify',
        'move-nodes/wave-01/verify',
        'move-nodes/wave-07/verify',
        'finalise/verify',
        'replace-kube-proxy/wave-03/verify',
        'replace-kube-proxy/clean-rules',
        'remove-old-cni/delete-flannel',
        'clean-up/verify',
      ];

describe('the way back', () => {
  it.each(points)('from after %s', async (last) => {
    const { there, back, reached, before, after } = await thereAndBack(last);
    expect(there.failed).toBeUndefined();
    expect([...reached]).toEqual(expect.arrayContaining([...there.reached]));
    expect(back.failed).toBeUndefined();
    expect(after).toEqual(before);
  });
});

describe('the way back on kubeadm', () => {
  it('finds room for an operator that tolerates no cordon (chart 1.18)', async () => {
    const cluster = readFileSync(
      new URL('./fixtures/snapshots/kubeadm/cluster.yaml', import.meta.url),
      'utf8',
    );
    const { helmValues } = readInput([{ path: 'target.yaml', text: KUBEADM_TARGET }], {
      ciliumVersion: '1.18.3',
    });
    const read = { ...readInput([{ path: 'cluster.yaml', text: cluster }], {}), helmValues };
    const made = planFor(read).plan;
    const document = await rehearseRollbacks({ input: read, plan: made, seed: 1, points: 'waves' });
    expect(document.points.filter(({ outcome }) => outcome === 'broken')).toEqual([]);
    expect(document.points.length).toBeGreaterThan(8);
  });
});

const KUBEADM_TARGET = `
kubeProxyReplacement: true
k8sServiceHost: 10.0.0.1
k8sServicePort: 6443
ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}
`;
