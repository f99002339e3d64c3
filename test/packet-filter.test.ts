/**
 * Goal: what the old network writes into packet filters is there as long as somebody keeps it there, does to
 * packets what it says, and goes without anything of others. Method: twins, through the port in memory and
 * through exec in agents as on a real cluster; foreign rules are written by hand.
 */
import pico from 'picocolors';
import { describe, expect, it } from 'vitest';
import { present } from '../src/base/assert.ts';
import { planFor } from '../src/cli/rehearsal-session.ts';
import { verificationText } from '../src/cli/terminal/verification-text.ts';
import { openNodeHost } from '../src/drivers/host-access/open-node-host.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { planOf, stepOf } from '../src/engine/testing.ts';
import { leftRules } from '../src/engine/verify/left-rules.ts';
import { FLANNEL_NFT_TABLES } from '../src/knowledge/packet-filter/rules-owners.ts';
import { runbookText } from '../src/planner/runbook-text.ts';
import type { Gate } from '../src/model/plan.ts';
import type { Verification } from '../src/model/verification.ts';
import type { ExecRequest, KubernetesPort, NodeHostPort, Ports } from '../src/ports/index.ts';
import { networkOf } from '../src/twin/network/kernel-network.ts';
import type { PacketFilter } from '../src/twin/network/packet-filter.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { failureOf } from './support/failure-of.ts';
import { smallCluster } from './support/small-cluster.ts';
import { k3s, read } from './support/snapshots.ts';
import { rke2 } from './support/rke2.ts';

const WORKER = 't-w1';
const OWNERS = ['flannel'] as const;
/** Its Flannel, 0.27.4, leaves its rules when it ends. */
const input = smallCluster({
  versions: { talos: '1.12.0', kubernetes: '1.33.0' },
  network: { endpoint: 'https://10.0.0.9:6443' },
});

function twin(from = input): TwinWorld {
  return buildWorld(from, { seed: 1 }).world;
}

function filterOf(world: TwinWorld, name = WORKER): PacketFilter {
  return networkOf(present(world.nodes.get(name), name)).filter;
}

function later(world: TwinWorld, seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1_000);
}

/** As flanneld, a firewall and a person would have them side by side. */
function addForeign(filter: PacketFilter, backend: 'legacy' | 'nft'): void {
  const run = (words: string): void => {
    expect(filter.command('ipv4', backend, words.split(' '))).toMatchObject({ exitCode: 0 });
  };
  run('-t filter -N FLANNEL-FWD-EXTRA');
  run('-t filter -A FLANNEL-FWD-EXTRA -s 10.9.0.0/16 -j DROP');
  run('-t filter -A FORWARD -j FLANNEL-FWD-EXTRA');
  run('-t nat -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE');
}

function foreignIn(filter: PacketFilter): readonly string[] {
  return (['legacy', 'nft'] as const).flatMap((backend) =>
    filter
      .saved('ipv4', backend)
      .split('\n')
      .filter((line) => line.startsWith('-A') && !/flanneld/.test(line)),
  );
}

async function remove(world: TwinWorld, node = WORKER): Promise<void> {
  const { nodeHost } = createTwinPorts(world);
  await world.kernel.drive(() => nodeHost.removeLeftRules(node, { owners: OWNERS, nftTables: [] }));
}

function leftOn(world: TwinWorld, nodeHost: NodeHostPort, node = WORKER) {
  return world.kernel.drive(() => nodeHost.leftRules(node, OWNERS));
}

/** The cluster with Flannel told to use tables of nft. */
function onNftables(world: TwinWorld): void {
  world.store.update('ConfigMap', 'kube-system', 'kube-flannel-cfg', (map) => {
    const conf = JSON.parse(map.data?.['net-conf.json'] ?? '{}') as object; // flanneld's own
    const text = JSON.stringify({ ...conf, EnableNFTables: true });
    return { ...map, data: { ...map.data, 'net-conf.json': text } };
  });
}

function flannelPod(world: TwinWorld, node = WORKER): string {
  const pod = world.store.podsOn(node).find(({ metadata }) => /flannel/.test(metadata.name));
  return present(pod, 'the pod of flanneld').metadata.name;
}

describe('rules on a twin', () => {
  it('are there while flanneld runs, come back when they are taken, and stay when it ends', async () => {
    const world = twin();
    const { nodeHost } = createTwinPorts(world);
    expect(await leftOn(world, nodeHost)).toEqual([
      'FLANNEL-FWD of table filter (iptables-nft)',
      'FLANNEL-POSTRTG of table nat (iptables-nft)',
    ]);
    await remove(world);
    expect(await leftOn(world, nodeHost)).toEqual([]);
    expect(networkOf(present(world.nodes.get(WORKER), WORKER)).flannel?.masquerade).toBe(false);
    later(world, 10);
    expect(await leftOn(world, nodeHost)).toHaveLength(2);
    world.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    later(world, 120);
    expect(await leftOn(world, nodeHost)).toHaveLength(2);
    await remove(world);
    later(world, 600);
    expect(await leftOn(world, nodeHost)).toEqual([]);
  });

  it('a boot loses them, and who runs then writes them again', async () => {
    const world = twin();
    const filter = filterOf(world);
    addForeign(filter, 'nft');
    present(world.nodes.get(WORKER), WORKER).machine.reboot();
    later(world, 600);
    expect(await leftOn(world, createTwinPorts(world).nodeHost)).toHaveLength(2);
    expect(filter.saved('ipv4', 'nft')).not.toContain('10.9.0.0/16');
  });

  it('pods reach the outside only through rules that are there', async () => {
    const world = twin();
    world.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    later(world, 120);
    const pod = present(
      world.store.podsOn(WORKER).find(({ spec }) => spec.hostNetwork !== true),
      'a pod',
    );
    const out = () => world.fabric.reach({ kind: 'pod', pod }, { kind: 'outside' });
    expect(out().ok).toBe(true);
    await remove(world);
    expect(out()).toMatchObject({ ok: false, message: expect.stringContaining('masquerade') });
    const [cause] = out().because;
    expect(world.kernel.occurrences.find(({ id }) => id === cause)?.kind).toBe(
      'client.rules-changed',
    );
  });

  it('are tables of nft where the ConfigMap says so, which nobody keeps', async () => {
    const world = twin();
    onNftables(world);
    world.store.remove('Pod', 'kube-system', flannelPod(world));
    later(world, 120);
    const filter = filterOf(world);
    expect([...filter.nftTables]).toEqual(expect.arrayContaining([...FLANNEL_NFT_TABLES]));
    filter.nft(['delete table ip flannel-ipv4; delete table ip6 flannel-ipv6']);
    later(world, 60);
    expect([...filter.nftTables].filter((name) => /flannel/.test(name))).toEqual([]);
    expect(networkOf(present(world.nodes.get(WORKER), WORKER)).flannel?.masquerade).toBe(false);
  });

  it('are in the back end that the kubelet hinted at', () => {
    const world = twin();
    const filter = filterOf(world);
    filter.setChain(
      { family: 'ipv4', backend: 'legacy', table: 'mangle' },
      'KUBE-IPTABLES-HINT',
      [],
    );
    world.store.remove('Pod', 'kube-system', flannelPod(world));
    later(world, 120);
    expect(filter.saved('ipv4', 'legacy')).toContain('-j FLANNEL-POSTRTG');
  });
});

/** A K3s cluster on Cilium, as its plan leaves it before the rules go; and its node host through agents. */
async function movedK3s(before = 'clean-up/rules') {
  const from = read(k3s(), 'ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}\n');
  const { plan } = planFor(from);
  const { world } = buildWorld(from, { seed: 1 });
  const ports = createTwinPorts(world);
  const end = plan.steps.findIndex(({ id }) => id === before);
  const part = { ...plan, steps: plan.steps.slice(0, end) };
  const result = await world.kernel.drive(() => runPlan(part, ports));
  expect(result.outcome).toBe('done');
  return { world, plan, ports };
}

function throughAgents(world: TwinWorld, change: Partial<KubernetesPort> = {}) {
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

/** Why a step does not begin that the gate stands before; undefined where it does. */
async function held(world: TwinWorld, ports: Ports, gate: Gate): Promise<string | undefined> {
  const step = stepOf(
    'clean-up/end',
    { kind: 'verify', scope: 'node', nodes: [] },
    { gates: [gate], timeoutSeconds: 2 },
  );
  const result = await world.kernel.drive(() => runPlan(planOf([step]), ports));
  return result.failed?.message;
}

describe('after Flannel is gone', () => {
  const NODE = 'k3s-agt-1';
  const ALL = ['flannel', 'kube-router'] as const;

  it('its rules and K3s’s go through the node’s agent, in both back ends, and nobody else’s', async () => {
    const { world } = await movedK3s();
    const filter = filterOf(world, NODE);
    for (const backend of ['legacy', 'nft'] as const) addForeign(filter, backend);
    filter.command('ipv4', 'legacy', ['-t', 'filter', '-N', 'FLANNEL-FWD']);
    filter.command('ipv6', 'nft', ['-t', 'nat', '-N', 'FLANNEL-POSTRTG']);
    filter.sets.add('KUBE-SRC-TEMCG2JMHZYE7H7T').add('KUBE-CLUSTER-IP');
    const foreign = foreignIn(filter);
    const { nodeHost, ran } = throughAgents(world);
    const left = await world.kernel.drive(() => nodeHost.leftRules(NODE, ALL));
    expect(left).toEqual([
      'FLANNEL-FWD of table filter (iptables-legacy)',
      'FLANNEL-FWD, KUBE-NWPLCY-DEFAULT, KUBE-ROUTER-INPUT and 2 more chains of table filter (iptables-nft)',
      'FLANNEL-POSTRTG of table nat (iptables-nft)',
      'FLANNEL-POSTRTG of table nat (ip6tables-nft)',
      'ipset KUBE-SRC-TEMCG2JMHZYE7H7T',
    ]);
    // The other way to the same node says the same.
    const inMemory = createTwinPorts(world).nodeHost;
    expect(await world.kernel.drive(() => inMemory.leftRules(NODE, ALL))).toEqual(left);
    const what = { owners: ALL, nftTables: [] };
    await world.kernel.drive(() => nodeHost.removeLeftRules(NODE, what));
    expect(await world.kernel.drive(() => nodeHost.leftRules(NODE, ALL))).toEqual([]);
    expect(foreignIn(filter)).toEqual(foreign.filter((line) => !/KUBE-(ROUTER|NWPLCY)/.test(line)));
    expect([...filter.sets]).toEqual(['KUBE-CLUSTER-IP']);
    expect(new Set(ran.map((each) => each.split(':')[0]))).toEqual(new Set(['cilium-agent']));
    const count = ran.length;
    await world.kernel.drive(() => nodeHost.removeLeftRules(NODE, what));
    expect(ran.slice(count).filter((each) => / -[DFX] /.test(each))).toEqual([]);
  });

  it('a chain that somebody uses stays, and the step says whose rule it is', async () => {
    const { world, ports, plan } = await movedK3s();
    filterOf(world, NODE).command('ipv4', 'nft', [
      '-t',
      'filter',
      '-A',
      'INPUT',
      '-j',
      'FLANNEL-FWD',
    ]);
    const { nodeHost } = throughAgents(world);
    const steps = plan.steps.filter(({ id }) => id === 'clean-up/rules');
    const alone = { ...plan, steps: steps.map((step) => ({ ...step, dependsOn: [], gates: [] })) };
    for (const host of [nodeHost, ports.nodeHost]) {
      const result = await world.kernel.drive(() => runPlan(alone, { ...ports, nodeHost: host }));
      expect(result.failed?.message).toContain(
        'somebody’s rule leads into: -A INPUT -j FLANNEL-FWD',
      );
    }
    expect(filterOf(world, NODE).saved('ipv4', 'nft')).toContain('-A INPUT -j FLANNEL-FWD');
  });

  it.each<[string, Partial<KubernetesPort>, string]>([
    [
      'no agent runs',
      { list: () => Promise.resolve([]) },
      'cannot list the packet filters of k3s-agt-1: no Cilium agent runs there',
    ],
    [
      'a table was made with nft',
      {
        exec: () =>
          Promise.resolve({
            exitCode: 0,
            stdout: "# Table `nat' is incompatible, use 'nft' tool.\n",
            stderr: '',
          }),
      },
      'table nat is not shown: it was made with nft',
    ],
    [
      'the program fails',
      { exec: () => Promise.resolve({ exitCode: 4, stdout: '', stderr: 'Permission denied' }) },
      'cannot list the packet filters of k3s-agt-1: iptables-legacy-save: Permission denied',
    ],
  ])('nothing is known where %s: the gate does not hold', async (_, change, why) => {
    const { world } = await movedK3s();
    const { nodeHost } = throughAgents(world, change);
    const gate = { kind: 'rules-gone', nodes: [NODE], owners: OWNERS } as const;
    const message = await held(world, { ...createTwinPorts(world), nodeHost }, gate);
    expect(message).toContain(`could not be evaluated: ${why}`);
    expect((await failureOf(leftOn(world, nodeHost, NODE))).code).toBe('refused');
  });

  it('a flanneld that runs still is seen before the plan ends', async () => {
    const gate = { kind: 'rules-gone', nodes: [WORKER], owners: OWNERS } as const;
    const runs = twin();
    await remove(runs);
    later(runs, 10);
    expect(await held(runs, createTwinPorts(runs), gate)).toContain(
      `${WORKER} has FLANNEL-FWD of table filter (iptables-nft)`,
    );
    const gone = twin();
    gone.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    later(gone, 120);
    await remove(gone);
    expect(await held(gone, createTwinPorts(gone), gate)).toBeUndefined();
  });

  it('tables of nft go by one transaction in kube-proxy’s image, there or not', async () => {
    const { world } = await movedK3s();
    const { nodeHost } = throughAgents(world);
    const filter = filterOf(world, NODE);
    filter.nftTables.add('ip flannel-ipv4').add('ip firewall');
    const what = { owners: OWNERS, nftTables: FLANNEL_NFT_TABLES };
    for (let time = 0; time < 2; time += 1) {
      await world.kernel.drive(() => nodeHost.removeLeftRules(NODE, what));
      expect([...filter.nftTables].filter((name) => !/kube-proxy/.test(name))).toEqual([
        'ip firewall',
      ]);
    }
  });
});

/** Owners by the step, and by the gate that sees that they are gone. */
function ownersIn({ plan }: ReturnType<typeof planFor>): readonly unknown[] {
  const step = plan.steps.find(({ id }) => id === 'clean-up/rules');
  const gate = plan.steps.at(-1)?.gates.find(({ kind }) => kind === 'rules-gone');
  return [step?.action, gate].map((each) =>
    each !== undefined && 'owners' in each ? each.owners : undefined,
  );
}

describe('verify', () => {
  it('tells of rules whose programs are gone, and of nodes that it could not ask', async () => {
    const { world } = await movedK3s();
    const { kubernetes, nodeHost } = createTwinPorts(world);
    const look = (host: Pick<NodeHostPort, 'leftRules'>) =>
      world.kernel.drive(() => leftRules(kubernetes, host));
    const told = await look(nodeHost);
    expect(told?.owners).toEqual(['flannel', 'kube-router', 'calico']);
    expect(told?.nodes.map(({ node }) => node)).toEqual([...world.nodes.keys()].toSorted());
    expect(told?.nodes[0]?.rules).toContain('FLANNEL-POSTRTG of table nat (iptables-nft)');
    const text = verificationText({ ...CLEAR, leftRules: present(told, 'rules') }, 100, PLAIN);
    expect(text).toContain('Rules of what runs no more (flannel, kube-router, calico)');
    const silent = await look({ leftRules: () => Promise.reject(new Error('no agent')) });
    expect([silent?.nodes, silent?.unread.length]).toEqual([[], world.nodes.size]);
    for (const { name } of world.nodes.values())
      await world.kernel.drive(() =>
        nodeHost.removeLeftRules(name, { owners: ['flannel', 'kube-router'], nftTables: [] }),
      );
    const after = await look(nodeHost);
    expect(after?.nodes).toEqual([]);
    expect(verificationText({ ...CLEAR, leftRules: present(after, 'rules') }, 100, PLAIN)).toBe(
      verificationText(CLEAR, 100, PLAIN),
    );
  });

  it('takes none for left while its program runs, and asks nobody before Cilium is there', async () => {
    const { world } = await movedK3s('remove-old-cni/tell-service');
    const { kubernetes, nodeHost } = createTwinPorts(world);
    const early = await world.kernel.drive(() => leftRules(kubernetes, nodeHost));
    expect(early).toEqual({ owners: ['calico'], nodes: [], unread: [] });
    const before = twin();
    const ports = createTwinPorts(before);
    const asked = before.kernel.drive(() => leftRules(ports.kubernetes, ports.nodeHost));
    expect(await asked).toBeUndefined();
  });
});

const PLAIN = pico.createColors(false);
const CLEAR: Verification = {
  apiVersion: 'regauge.dev/v1',
  kind: 'Verification',
  seconds: 1,
  paths: [],
  failing: [],
  unknown: [],
  verdict: 'clear',
};

describe('the plan', () => {
  it('names who writes rules on each distribution, and sees in the end that they are gone', () => {
    expect(ownersIn(planFor(input))).toEqual([['flannel'], ['flannel']]);
    expect(ownersIn(planFor(read(k3s())))).toEqual([
      ['flannel', 'kube-router'],
      ['flannel', 'kube-router'],
    ]);
    expect(ownersIn(planFor(read(rke2())))).toEqual([
      ['flannel', 'calico'],
      ['flannel', 'calico'],
    ]);
  });

  it('leaves a run without a rule of the old network on any node, and says so as commands', async () => {
    const { plan } = planFor(input);
    const world = twin();
    for (const node of world.nodes.values()) addForeign(networkOf(node).filter, 'legacy');
    const result = await world.kernel.drive(() => runPlan(plan, createTwinPorts(world)));
    expect(result.outcome).toBe('done');
    const { nodeHost } = createTwinPorts(world);
    for (const { name } of world.nodes.values()) {
      expect(await leftOn(world, nodeHost, name)).toEqual([]);
      expect(foreignIn(filterOf(world, name))).toHaveLength(3);
    }
    const text = runbookText(plan);
    expect(text).toContain('FLANNEL-(POSTRTG|FWD)|flanneld (masq|forward)');
    expect(text).toContain('iptables-legacy iptables-nft ip6tables-legacy ip6tables-nft');
  });

  it('a crash in the middle of a node’s commands is gone on from', async () => {
    const { world, plan, ports } = await movedK3s();
    const steps = plan.steps.filter(({ id }) => id === 'clean-up/rules');
    const alone = { ...plan, steps: steps.map((step) => ({ ...step, dependsOn: [], gates: [] })) };
    const { kubernetes } = ports;
    for (let crash = 1; crash < 30; crash += 7) {
      let calls = 0;
      const exec = (request: ExecRequest) => {
        if (request.command.some((word) => /^-[DFX]$/.test(word))) calls += 1;
        return calls > crash ? Promise.reject(new Error('killed')) : kubernetes.exec(request);
      };
      const { nodeHost } = throughAgents(world, { exec });
      await world.kernel.drive(() => runPlan(alone, { ...ports, nodeHost }));
    }
    const { nodeHost } = throughAgents(world);
    const result = await world.kernel.drive(() => runPlan(alone, { ...ports, nodeHost }));
    expect(result.outcome).toBe('done');
    const left = [...world.nodes.values()].map(({ name }) =>
      filterOf(world, name).saved('ipv4', 'nft'),
    );
    expect(left.join('')).not.toMatch(/FLANNEL|KUBE-(ROUTER|NWPLCY)/);
  });
});
