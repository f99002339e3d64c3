/** What an agent learns at its start: who and where it is, and how large a packet its route takes. */
import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ProbeConfig, ProbeEnd } from '../model/probe.ts';

export interface Settings {
  readonly end: ProbeEnd;
  /** Asks nobody: what the others may be kept from reaching. */
  readonly onlyServes: boolean;
  readonly node: string;
  readonly address: string;
  readonly configPath: string;
  readonly resolvConfPath: string;
}

export function settingsFrom(
  environment: Readonly<Record<string, string | undefined>>,
  argument: string | undefined,
): Settings {
  return {
    end: argument === 'host' ? 'host' : 'pod',
    onlyServes: argument === 'closed',
    node: environment['NODE_NAME'] ?? '',
    address: environment['POD_IP'] ?? '',
    configPath: environment['PROBE_CONFIG'] ?? '/probe/config.json',
    resolvConfPath: environment['PROBE_RESOLV_CONF'] ?? '/etc/resolv.conf',
  };
}

/** The config, read again when the file is another: the kubelet writes a changed ConfigMap within a minute or two. */
export class ConfigFile {
  private readonly path: string;
  private stamp = '';

  constructor(path: string) {
    this.path = path;
  }

  /** Undefined while it is the same, or unreadable. */
  changed(): ProbeConfig | undefined {
    try {
      const { mtimeMs, size, ino } = statSync(this.path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp === this.stamp) return undefined;
      // Written by the prober; the kubelet puts it in place whole.
      const config = JSON.parse(readFileSync(this.path, 'utf8')) as ProbeConfig;
      this.stamp = stamp;
      return config;
    } catch {
      return undefined;
    }
  }
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const IPV4_HEADERS = 28;
const IPV6_HEADERS = 48;
const LEAST_MTU = 1_280;

/** Payload of the largest datagram that leaves in one packet: the link's MTU, or the route's where it is less. */
export function fullPayload(address: string): number {
  const link = Object.entries(networkInterfaces()).find(([, addresses = []]) =>
    addresses.some((each) => each.address === address),
  )?.[0];
  const ofLink = Number(readText(`/sys/class/net/${link ?? 'eth0'}/mtu`).trim());
  const ofRoute = defaultRouteMtu(readText('/proc/net/route'));
  const known = [ofLink, ofRoute].filter((mtu) => mtu > 0);
  const mtu = known.length === 0 ? LEAST_MTU : Math.min(...known);
  // A loopback's 65,536 says nothing of a network.
  return Math.min(mtu, 9_216) - (address.includes(':') ? IPV6_HEADERS : IPV4_HEADERS);
}

/** The MTU column of the default route: Cilium sets it below the link's; 0 where there is none. */
export function defaultRouteMtu(table: string): number {
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1] === '00000000') return Number(columns[8] ?? 0);
  }
  return 0;
}
