/**
 * Goal: rules of the old network go, and nothing of anybody else; what cannot be seen is not taken for gone.
 * Method: a K3s cluster that its plan has moved, through the port in memory and through exec in agents as on
 * a real cluster; foreign rules are written by hand.
 */
import { describe, expect, it } from 'vitest';
import { planFor } from '../../src/cli/rehearsal-session.ts';
import { runPlan } from '../../src/engine/run-plan.ts';
import { planOf, stepOf } from '../../src/engine/testing.ts';
import { FLANNEL_NFT_TABLES } from '../../src/knowledge/packet-filter/rules-owners.ts';
import type { Gate } from '../../src/model/plan.ts';
import { runbookText } from '../../src/planner/runbook-text.ts';
import type { ExecRequest, KubernetesPort, Ports } from '../../src/ports/index.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import type { TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  addForeign,
  filterOf,
  FLANNEL_CLUSTER,
  foreignIn,
  later,
  leftOn,
  movedK3s,
  OWNERS,
  removeRules,
  throughAgents,
  twin,
  WORKER,
} from '../support/packet-filters.ts';
import { rke2 } from '../support/rke2.ts';
import { k3s, read } from '../support/snapshots.ts';

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

  it('a kernel without nf_tables has no rules in it', async () => {
    const { world } = await movedK3s();
    const { kubernetes } = createTwinPorts(world);
    const exec = (request: ExecRequest) =>
      (request.command[0] ?? '').endsWith('-nft-save')
        ? Promise.resolve({
            exitCode: 1,
            stdout: '',
            stderr: 'iptables/1.8.8 Failed to initialize nft: Protocol not supported\n',
          })
        : kubernetes.exec(request);
    expect(await leftOn(world, throughAgents(world, { exec }).nodeHost, NODE)).toEqual([]);
  });

  it('a flanneld that runs still is seen before the plan ends', async () => {
    const gate = { kind: 'rules-gone', nodes: [WORKER], owners: OWNERS } as const;
    const runs = twin();
    await removeRules(runs);
    later(runs, 10);
    expect(await held(runs, createTwinPorts(runs), gate)).toContain(
      `${WORKER} has FLANNEL-FWD of table filter (iptables-nft)`,
    );
    const gone = twin();
    gone.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    later(gone, 120);
    await removeRules(gone);
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

describe('the plan', () => {
  it('names who writes rules on each distribution, and sees in the end that they are gone', () => {
    expect(ownersIn(planFor(FLANNEL_CLUSTER))).toEqual([['flannel'], ['flannel']]);
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
    const { plan } = planFor(FLANNEL_CLUSTER);
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
