/** `/run/flannel/subnet.env` as the flannel plugin reads it, in its own words when it cannot. */
import { showNetwork, parseGoCidr } from '../go-net.ts';

export interface SubnetEnv {
  /** The node's subnets, IPv4 first: `10.244.1.0/24`. */
  readonly subnets: readonly string[];
  readonly mtu: number;
  readonly ipMasq: boolean;
}

const KNOWN_MAX = 4_096;
const known = new Map<string, SubnetEnv>();

/** The parsed file, or the error that follows the plugin's prefix (truth:A15, A16). */
export function readSubnetEnv(path: string, text: string): SubnetEnv | string {
  const before = known.get(text);
  if (before !== undefined) return before;
  const read = parse(path, text);
  if (typeof read === 'string') return read;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(text, read);
  return read;
}

interface Draft {
  network: boolean;
  v4: string | undefined;
  v6: string | undefined;
  mtu: number | undefined;
  ipMasq: boolean | undefined;
}

function parse(path: string, text: string): SubnetEnv | string {
  const draft: Draft = {
    network: false,
    v4: undefined,
    v6: undefined,
    mtu: undefined,
    ipMasq: undefined,
  };
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals < 0) continue;
    const error = take(draft, line.slice(0, equals), line.slice(equals + 1).replace(/\r$/, ''));
    if (error !== undefined) return error;
  }
  const { mtu, ipMasq } = draft;
  const missing = missingOf(draft);
  if (mtu === undefined || ipMasq === undefined || missing !== '')
    return `${path} is missing ${missing}`;
  const subnets = [draft.v4, draft.v6].filter((subnet) => subnet !== undefined);
  return { subnets, mtu, ipMasq };
}

function take(draft: Draft, key: string, value: string): string | undefined {
  if (key === 'FLANNEL_MTU') {
    if (!/^\d+$/.test(value)) return `strconv.ParseUint: parsing "${value}": invalid syntax`;
    draft.mtu = Number(value);
  }
  if (key === 'FLANNEL_IPMASQ') draft.ipMasq = value === 'true';
  if (key === 'FLANNEL_NETWORK' || key === 'FLANNEL_IPV6_NETWORK') {
    for (const part of value.split(',')) {
      const cidr = parseGoCidr(part);
      if (!cidr.ok) return cidr.error;
    }
    draft.network = true;
  }
  if (key === 'FLANNEL_SUBNET' || key === 'FLANNEL_IPV6_SUBNET') {
    const cidr = parseGoCidr(value);
    if (!cidr.ok) return cidr.error;
    draft[key === 'FLANNEL_SUBNET' ? 'v4' : 'v6'] = showNetwork(cidr.cidr);
  }
  return undefined;
}

function missingOf(draft: Draft): string {
  return [
    ...(draft.network ? [] : ['FLANNEL_NETWORK', 'FLANNEL_IPV6_NETWORK']),
    ...(draft.v4 === undefined && draft.v6 === undefined
      ? ['FLANNEL_SUBNET', 'FLANNEL_IPV6_SUBNET']
      : []),
    ...(draft.mtu === undefined ? ['FLANNEL_MTU'] : []),
    ...(draft.ipMasq === undefined ? ['FLANNEL_IPMASQ'] : []),
  ].join(', ');
}
