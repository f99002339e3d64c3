/**
 * Goal: what the old network writes into packet filters is there as long as somebody keeps it there, and does
 * to packets what it says. Method: a twin on Flannel; flanneld runs, is told otherwise, or is gone.
 */
import { describe, expect, it } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { FLANNEL_NFT_TABLES } from '../../src/knowledge/packet-filter/rules-owners.ts';
import type { PodObject } from '../../src/model/kubernetes.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import {
  addForeign,
  filterOf,
  later,
  leftOn,
  removeRules,
  twin,
  WORKER,
} from '../support/packet-filters.ts';
import { k3s, read } from '../support/snapshots.ts';

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
    await removeRules(world);
    expect(await leftOn(world, nodeHost)).toEqual([]);
    expect(networkOf(present(world.nodes.get(WORKER), WORKER)).flannel?.masquerade).toBe(false);
    later(world, 10);
    expect(await leftOn(world, nodeHost)).toHaveLength(2);
    world.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    later(world, 120);
    expect(await leftOn(world, nodeHost)).toHaveLength(2);
    await removeRules(world);
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
    await removeRules(world);
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

function podsOf(world: TwinWorld, app: string): readonly PodObject[] {
  return world.store.list('Pod').filter(({ metadata }) => metadata.labels?.['app'] === app);
}

describe('rules of K3s’s policy controller', () => {
  const POLICY = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'only-frontend', namespace: 'web', uid: 'uid-policy' },
    spec: {
      podSelector: { matchLabels: { app: 'backend' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'frontend' } } }] }],
    },
  } as const;
  const SERVERS = ['k3s-srv-1', 'k3s-srv-2', 'k3s-srv-3'];
  const NODE = 'k3s-srv-2';

  /** Of the backend on the node, by who asks. */
  function reached(world: TwinWorld): Readonly<Record<string, boolean>> {
    const pod = present(
      podsOf(world, 'backend').find(({ spec }) => spec.nodeName === NODE),
      'a backend',
    );
    const from = [...podsOf(world, 'frontend'), ...podsOf(world, 'mysql')];
    return Object.fromEntries(
      from.map((each) => [
        each.metadata.name.replace(/-.*/, ` of ${each.spec.nodeName ?? ''}`),
        world.fabric.reach({ kind: 'pod', pod: each }, { kind: 'pod', pod }).ok,
      ]),
    );
  }

  function switchOff(world: TwinWorld): void {
    for (const name of SERVERS) {
      const node = present(world.nodes.get(name), name);
      const directory = '/etc/rancher/k3s/config.yaml.d';
      node.files.write(`${directory}/90-test.yaml`, 'disable-network-policy: true\n');
    }
    for (const [name, node] of world.nodes) {
      node.machine.restartService(SERVERS.includes(name) ? 'k3s' : 'k3s-agent');
      later(world, 60);
    }
  }

  it('judge by addresses of the past once it is switched off, until they are taken away', async () => {
    const { world } = buildWorld(read(k3s()), { seed: 1 });
    world.store.create(POLICY as Parameters<typeof world.store.create>[0]);
    later(world, 1);
    const known = {
      'frontend of k3s-agt-1': true,
      'frontend of k3s-agt-2': true,
      'frontend of k3s-srv-3': true,
      'mysql of k3s-agt-2': false,
    };
    expect(reached(world)).toEqual(known);
    switchOff(world);
    expect(reached(world)).toEqual(known);
    // Neither a policy that is deleted nor a pod that is made anew is anything to them.
    world.store.remove('NetworkPolicy', 'web', 'only-frontend');
    const frontend = podsOf(world, 'frontend').find(({ spec }) => spec.nodeName === 'k3s-agt-1');
    world.store.remove('Pod', 'web', present(frontend, 'a frontend').metadata.name);
    later(world, 60);
    expect(Object.values(reached(world)).filter((ok) => !ok)).toHaveLength(2);
    const { nodeHost } = createTwinPorts(world);
    const what = { owners: ['kube-router'], nftTables: [] } as const;
    await world.kernel.drive(() => nodeHost.removeLeftRules(NODE, what));
    later(world, 600);
    expect(Object.values(reached(world)).every(Boolean)).toBe(true);
  });

  it('are gone with a boot, and written anew by a controller that runs', () => {
    const { world } = buildWorld(read(k3s()), { seed: 1 });
    world.store.create(POLICY as Parameters<typeof world.store.create>[0]);
    later(world, 1);
    const node = present(world.nodes.get(NODE), NODE);
    node.machine.restartService('k3s');
    later(world, 60);
    expect(networkOf(node).leftPolicies).toBeUndefined();
    switchOff(world);
    expect([...(networkOf(node).leftPolicies?.chains.keys() ?? [])]).toEqual(['10.42.1.4']);
    node.machine.reboot();
    later(world, 600);
    expect(networkOf(node).leftPolicies).toBeUndefined();
    expect(reached(world)).toMatchObject({ 'mysql of k3s-agt-2': true });
  });
});
