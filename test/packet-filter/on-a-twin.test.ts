/**
 * Goal: what the old network writes into packet filters is there as long as somebody keeps it there, and does
 * to packets what it says. Method: a twin on Flannel; flanneld runs, is told otherwise, or is gone.
 */
import { describe, expect, it } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { FLANNEL_NFT_TABLES } from '../../src/knowledge/packet-filter/rules-owners.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import type { TwinWorld } from '../../src/twin/scenario/build-world.ts';
import {
  addForeign,
  filterOf,
  later,
  leftOn,
  removeRules,
  twin,
  WORKER,
} from '../support/packet-filters.ts';

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
