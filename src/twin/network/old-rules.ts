/**
 * The rules that programs of the old network write: Flannel's (flannel:pkg/trafficmngr/iptables/iptables.go,
 * pkg/trafficmngr/nftables/nftables.go@cdf7605), those of K3s's policy controller
 * (kube-router:pkg/controllers/netpol@v2.2.1), of Calico's Felix (calico:felix/rules/static.go@87c1590) and of
 * kube-proxy (kubernetes:pkg/proxy/iptables/proxier.go). Of the last three only what is always there.
 */
import { FLANNEL_NFT_TABLES } from '../../knowledge/packet-filter/rules-owners.ts';
import type { FilterTableOf, PacketFilter } from './packet-filter.ts';

export interface FlannelRules {
  readonly network: string;
  readonly subnet: string;
  /** EnableNFTables. */
  readonly nftables: boolean;
}

const MASQ = '-m comment --comment "flanneld masq"';
const FORWARD = '-m comment --comment "flanneld forward"';
const POSTROUTING = 'FLANNEL-POSTRTG';

export function writeFlannelRules(filter: PacketFilter, rules: FlannelRules): void {
  const { network, subnet } = rules;
  const nat = inTable(filter, 'nat');
  if (rules.nftables) {
    for (const table of FLANNEL_NFT_TABLES) filter.nftTables.add(table);
    // It clears what it does not use at its start (main.go); a chain that is led into cannot be deleted.
    if (filter.hasChain(nat, POSTROUTING)) filter.setChain(nat, POSTROUTING, []);
    return;
  }
  for (const table of FLANNEL_NFT_TABLES) filter.nftTables.delete(table);
  filter.setChain(nat, POSTROUTING, [
    `-m mark --mark 0x4000/0x4000 ${MASQ} -j RETURN`,
    `-s ${subnet} -d ${network} ${MASQ} -j RETURN`,
    `-s ${network} -d ${subnet} ${MASQ} -j RETURN`,
    `! -s ${network} -d ${subnet} ${MASQ} -j RETURN`,
    `-s ${network} ! -d 224.0.0.0/4 ${MASQ} -j MASQUERADE --random-fully`,
    `! -s ${network} -d ${network} ${MASQ} -j MASQUERADE --random-fully`,
  ]);
  filter.append(nat, 'POSTROUTING', `${MASQ} -j ${POSTROUTING}`);
  const forward = inTable(filter, 'filter');
  filter.setChain(forward, 'FLANNEL-FWD', [
    `-s ${network} ${FORWARD} -j ACCEPT`,
    `-d ${network} ${FORWARD} -j ACCEPT`,
  ]);
  filter.append(forward, 'FORWARD', `${FORWARD} -j FLANNEL-FWD`);
}

/** All of it, as flanneld 0.25.0 to 0.26.7 does when it ends. */
export function removeFlannelRules(filter: PacketFilter): void {
  for (const table of FLANNEL_NFT_TABLES) filter.nftTables.delete(table);
  filter.removeChains((chain) => chain === POSTROUTING || chain === 'FLANNEL-FWD');
}

/** Whether packets that leave the node meet them. */
export function flannelMasquerades(filter: PacketFilter): boolean {
  if (filter.nftTables.has(FLANNEL_NFT_TABLES[0])) return true;
  return (
    filter.hasRule('nat', 'POSTROUTING', `-j ${POSTROUTING}`) &&
    filter.hasRule('nat', POSTROUTING, '-j MASQUERADE')
  );
}

const KUBE_ROUTER = {
  INPUT: '4IA2OSFRMVNDXBVV',
  FORWARD: 'TEMCG2JMHZYE7H7T',
  OUTPUT: 'VEAAIY32XVBHCSCY',
};

/** With no more than pods have that no policy selects. */
export function writeKubeRouterRules(filter: PacketFilter): void {
  const table = inTable(filter, 'filter');
  filter.setChain(table, 'KUBE-NWPLCY-DEFAULT', [
    '-m comment --comment "rule to mark traffic matching a network policy" -j MARK --set-xmark 0x10000/0x10000',
  ]);
  for (const [chain, hash] of Object.entries(KUBE_ROUTER)) {
    filter.setChain(table, `KUBE-ROUTER-${chain}`, [
      '-m comment --comment "rule to explicitly ACCEPT traffic that comply to network policies" -m mark --mark 0x20000/0x20000 -j ACCEPT',
    ]);
    filter.append(
      table,
      chain,
      `-m comment --comment "kube-router netpol - ${hash}" -j KUBE-ROUTER-${chain}`,
    );
  }
}

export function hasKubeRouterRules(filter: PacketFilter): boolean {
  return filter.hasRule('filter', 'FORWARD', '-j KUBE-ROUTER-FORWARD');
}

const FELIX = {
  INPUT: 'Cz_u1IQiXIMmKD4c',
  FORWARD: 'wUHhoiAYhphO9Mso',
  OUTPUT: 'tVnHkvAo15HuiPy0',
};

export function writeFelixRules(filter: PacketFilter): void {
  const table = inTable(filter, 'filter');
  for (const [chain, hash] of Object.entries(FELIX)) {
    if (!filter.hasChain(table, `cali-${chain}`)) filter.setChain(table, `cali-${chain}`, []);
    filter.append(table, chain, `-m comment --comment "cali:${hash}" -j cali-${chain}`);
  }
  filter.append(
    table,
    'FORWARD',
    '-m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT',
  );
  filter.sets.add('cali40all-ipam-pools');
}

export function hasFelixRules(filter: PacketFilter): boolean {
  return filter.hasRule('filter', 'FORWARD', '-j cali-FORWARD');
}

export function writeKubeProxyRules(filter: PacketFilter, mode: string): void {
  if (mode === 'nftables') {
    for (const family of ['ip', 'ip6']) filter.nftTables.add(`${family} kube-proxy`);
    return;
  }
  const nat = inTable(filter, 'nat');
  for (const [chain, from] of [
    ['KUBE-SERVICES', 'PREROUTING'],
    ['KUBE-POSTROUTING', 'POSTROUTING'],
  ] as const) {
    if (filter.hasChain(nat, chain)) continue;
    filter.setChain(nat, chain, []);
    filter.append(nat, from, `-m comment --comment "kubernetes service portals" -j ${chain}`);
  }
}

export function removeKubeProxyRules(filter: PacketFilter): void {
  for (const family of ['ip', 'ip6']) filter.nftTables.delete(`${family} kube-proxy`);
  filter.removeChains((chain) => chain === 'KUBE-SERVICES' || chain === 'KUBE-POSTROUTING');
}

function inTable(filter: PacketFilter, table: string): FilterTableOf {
  return { family: 'ipv4', backend: filter.usual, table };
}
