/**
 * Goal: rules that Flannel left act on packets of the new network as they were seen to (calico#12920: traffic
 * between nodes loses its address and policies drop it, on one node it works), and only where packets meet
 * them. Method: two nodes set by hand, pods of Cilium, the rules there or not.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodObject } from '../../model/kubernetes.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  layFlannel,
  nodeNamed,
} from '../../../test/support/fake-world.ts';
import { type CiliumState, networkOf } from './kernel-network.ts';
import {
  flannelMasquerades,
  hasFelixRules,
  hasKubeRouterRules,
  removeKubeProxyRules,
  writeFelixRules,
  writeFlannelRules,
  writeKubeProxyRules,
  writeKubeRouterRules,
} from './old-rules.ts';
import { PacketFilter } from './packet-filter.ts';

const NATIVE: CiliumState = {
  version: '1.16.5',
  podCidrs: [],
  routing: 'native',
  tunnelDevice: 'cilium_vxlan',
  hostRouting: 'legacy',
  masquerade: 'iptables',
  kubeProxyReplacement: false,
  policy: 'default',
  maps: undefined,
  takenOver: { services: [], routing: [], oldNetwork: [] },
};

const POLICY = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'only-web', namespace: 'default' },
  spec: {
    podSelector: { matchLabels: { app: 'db' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }],
  },
} as const;

let world: FakeWorld;

function settle(): void {
  world.kernel.runUntil(world.kernel.now() + 10);
}

function cilium(change: Partial<CiliumState> = {}): void {
  for (const name of ['a', 'b']) {
    networkOf(nodeNamed(world, name)).setVxlanLink('cilium_vxlan', { port: 8473, up: true });
    networkOf(nodeNamed(world, name)).setCilium({ ...NATIVE, ...change });
  }
  settle();
}

function pod(app: string, node: string, ip: string): PodObject {
  const made = createPod(world, `${app}-${ip}`, node, { labels: { app } });
  const attached = attachPod(world, made, 'cilium', ip);
  settle();
  return attached;
}

/** Empty where packets arrive. */
function lossOf(from: PodObject, to: PodObject): string {
  return world.fabric.reach({ kind: 'pod', pod: from }, { kind: 'pod', pod: to }).message;
}

beforeEach(() => {
  world = fakeWorld(['a', 'b']);
  for (const [index, name] of ['a', 'b'].entries()) layFlannel(world, name, index);
  for (const name of ['a', 'b']) {
    const { address } = nodeNamed(world, name);
    world.store.create({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNode',
      metadata: { name },
      spec: {
        addresses: [{ type: 'InternalIP', ip: address }],
        ipam: { podCIDRs: [name === 'a' ? '10.244.7.0/24' : '10.244.8.0/24'] },
      },
    });
  }
  world.store.create(POLICY as Parameters<typeof world.store.create>[0]);
  settle();
});

describe('Flannel’s left rules, where its range is used again', () => {
  it('hide pods from policies between nodes and not on one, until they are gone', () => {
    cilium();
    const db = pod('db', 'b', '10.244.8.10');
    const [web, near] = [pod('web', 'a', '10.244.7.10'), pod('web', 'b', '10.244.8.11')];
    expect([lossOf(web, db), lossOf(near, db)]).toEqual([
      'NetworkPolicy only-web denies ingress of default/db-10.244.8.10',
      '',
    ]);
    const { filter } = networkOf(nodeNamed(world, 'a'));
    filter.command('ipv4', 'nft', ['-t', 'nat', '-D', 'POSTROUTING', ...MASQ]);
    expect([lossOf(web, db), lossOf(near, db)]).toEqual(['', '']);
  });

  it.each<[string, Partial<CiliumState>, string]>([
    ['its tunnel', { routing: 'tunnel' }, '10.244.7.10'],
    ['BPF host routing', { hostRouting: 'bpf' }, '10.244.7.10'],
    ['the part of the range that Flannel had here', {}, '10.244.0.10'],
  ])('are not met past %s', (_, change, ip) => {
    cilium(change);
    expect(lossOf(pod('web', 'a', ip), pod('db', 'b', '10.244.8.10'))).toBe('');
  });

  it('in tables of nft let pass what stays within the range', () => {
    cilium();
    const network = networkOf(nodeNamed(world, 'a'));
    const { flannel } = network;
    network.setFlannel(undefined);
    if (flannel !== undefined) network.setFlannel({ ...flannel, nftables: true });
    expect(flannelMasquerades(network.filter)).toBe(true);
    expect(lossOf(pod('web', 'a', '10.244.7.10'), pod('db', 'b', '10.244.8.10'))).toBe('');
  });

  it('do nothing to another range', () => {
    cilium();
    expect(lossOf(pod('web', 'a', '10.245.7.10'), pod('db', 'b', '10.245.8.10'))).toBe('');
  });
});

const MASQ = ['-m', 'comment', '--comment', 'flanneld masq', '-j', 'FLANNEL-POSTRTG'];

function run(filter: PacketFilter, words: string) {
  return filter.command('ipv4', 'nft', words.split(' '));
}

describe('a packet filter', () => {
  const nat = { family: 'ipv4', backend: 'nft', table: 'nat' } as const;

  it('refuses what the kernel refuses, in iptables’ words', () => {
    const filter = new PacketFilter();
    writeFlannelRules(filter, {
      network: '10.244.0.0/16',
      subnet: '10.244.1.0/24',
      nftables: false,
    });
    expect(run(filter, '-t nat -X FLANNEL-POSTRTG').stderr).toContain('Directory not empty');
    run(filter, '-t nat -F FLANNEL-POSTRTG');
    expect(run(filter, '-t nat -X FLANNEL-POSTRTG').stderr).toContain('Too many links');
    expect(run(filter, '-t nat -X NOBODY').stderr).toContain('No chain/target/match by that name');
    expect(run(filter, '-t nat -D POSTROUTING -j ACCEPT').stderr).toContain('Bad rule');
    expect(filter.hasChain(nat, 'FLANNEL-POSTRTG')).toBe(true);
  });

  it('tells a client’s change, keeps back ends and families apart, and writes nothing twice', () => {
    let changes = 0;
    const filter = new PacketFilter(() => (changes += 1));
    const rules = { network: '10.244.0.0/16', subnet: '10.244.1.0/24', nftables: false };
    writeFlannelRules(filter, rules);
    const before = filter.saved('ipv4', 'nft');
    writeFlannelRules(filter, rules);
    expect(filter.saved('ipv4', 'nft')).toBe(before);
    expect([filter.saved('ipv4', 'legacy'), filter.saved('ipv6', 'nft'), changes]).toEqual([
      '',
      '',
      0,
    ]);
    run(filter, '-t nat -F FLANNEL-POSTRTG');
    expect([changes, flannelMasquerades(filter)]).toEqual([1, false]);
  });

  it('holds a set that a rule asks for', () => {
    const filter = new PacketFilter();
    writeFelixRules(filter);
    writeKubeRouterRules(filter);
    expect([hasFelixRules(filter), hasKubeRouterRules(filter)]).toEqual([true, true]);
    run(filter, '-t nat -A POSTROUTING -m set --match-set cali40all-ipam-pools dst -j RETURN');
    expect(filter.ipset(['destroy', 'cali40all-ipam-pools']).stderr).toContain('in use');
    run(filter, '-t nat -D POSTROUTING -m set --match-set cali40all-ipam-pools dst -j RETURN');
    expect(filter.ipset(['destroy', 'cali40all-ipam-pools']).exitCode).toBe(0);
    expect(filter.ipset(['list', '-n']).stdout).toBe('');
  });

  it('loses kube-proxy’s rules with it, by its mode', () => {
    const filter = new PacketFilter();
    writeKubeProxyRules(filter, 'nftables');
    expect([...filter.nftTables]).toEqual(['ip kube-proxy', 'ip6 kube-proxy']);
    writeKubeProxyRules(filter, 'iptables');
    expect(filter.saved('ipv4', 'nft')).toContain('-j KUBE-SERVICES');
    removeKubeProxyRules(filter);
    expect([...filter.nftTables]).toEqual([]);
    expect(filter.saved('ipv4', 'nft')).not.toContain('KUBE-');
  });
});
