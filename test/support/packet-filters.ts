/** Twins with rules in their nodes' packet filters: who wrote them runs, or is gone; and ways to reach them. */
import { assert, present } from '../../src/base/assert.ts';
import { planFor } from '../../src/cli/rehearsal-session.ts';
import { openNodeHost } from '../../src/drivers/host-access/open-node-host.ts';
import { runPlan } from '../../src/engine/run-plan.ts';
import type { ExecRequest, KubernetesPort, NodeHostPort } from '../../src/ports/index.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import type { PacketFilter } from '../../src/twin/network/packet-filter.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { smallCluster } from './small-cluster.ts';
import { k3s, read } from './snapshots.ts';

export const WORKER = 't-w1';
export const OWNERS = ['flannel'] as const;
/** Its Flannel, 0.27.4, leaves its rules when it ends. */
export const FLANNEL_CLUSTER = smallCluster({
  versions: { talos: '1.12.0', kubernetes: '1.33.0' },
  network: { endpoint: 'https://10.0.0.9:6443' },
});

export function twin(from = FLANNEL_CLUSTER): TwinWorld {
  return buildWorld(from, { seed: 1 }).world;
}

export function filterOf(world: TwinWorld, name = WORKER): PacketFilter {
  return networkOf(present(world.nodes.get(name), name)).filter;
}

export function later(world: TwinWorld, seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1_000);
}

/** As flanneld, a firewall and a person would have them side by side. */
export function addForeign(filter: PacketFilter, backend: 'legacy' | 'nft'): void {
  const run = (words: string): void => {
    const { exitCode, stderr } = filter.command('ipv4', backend, words.split(' '));
    assert(exitCode === 0, stderr);
  };
  run('-t filter -N FLANNEL-FWD-EXTRA');
  run('-t filter -A FLANNEL-FWD-EXTRA -s 10.9.0.0/16 -j DROP');
  run('-t filter -A FORWARD -j FLANNEL-FWD-EXTRA');
  run('-t nat -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE');
}

export function foreignIn(filter: PacketFilter): readonly string[] {
  return (['legacy', 'nft'] as const).flatMap((backend) =>
    filter
      .saved('ipv4', backend)
      .split('\n')
      .filter((line) => line.startsWith('-A') && !/flanneld/.test(line)),
  );
}

export async function removeRules(world: TwinWorld, node = WORKER): Promise<void> {
  const { nodeHost } = createTwinPorts(world);
  await world.kernel.drive(() => nodeHost.removeLeftRules(node, { owners: OWNERS, nftTables: [] }));
}

export function leftOn(world: TwinWorld, nodeHost: NodeHostPort, node = WORKER) {
  return world.kernel.drive(() => nodeHost.leftRules(node, OWNERS));
}

/** A K3s cluster on Cilium, as its plan leaves it before the rules go; and its node host through agents. */
export async function movedK3s(before = 'clean-up/rules') {
  const from = read(k3s(), 'ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}\n');
  const { plan } = planFor(from);
  const { world } = buildWorld(from, { seed: 1 });
  const ports = createTwinPorts(world);
  const end = plan.steps.findIndex(({ id }) => id === before);
  const part = { ...plan, steps: plan.steps.slice(0, end) };
  const result = await world.kernel.drive(() => runPlan(part, ports));
  assert(result.outcome === 'done', result.failed?.message ?? '');
  return { world, plan, ports };
}

export function throughAgents(world: TwinWorld, change: Partial<KubernetesPort> = {}) {
  const { kubernetes } = createTwinPorts(world);
  const ran: string[] = [];
  const exec = (request: ExecRequest) => {
    ran.push(`${request.container ?? ''}: ${request.command.join(' ')}`);
    return kubernetes.exec(request);
  };
  const { nodeHost } = openNodeHost({
    kubernetes: { ...kubernetes, exec, ...change },
    distribution: 'k3s',
    hostAccess: { run: 'test', mayCreatePods: true },
  });
  return { nodeHost, ran };
}
