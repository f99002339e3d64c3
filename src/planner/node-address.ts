/**
 * Whether Talos could take Cilium's host address for the node's (FM-09). Talos filters candidates by
 * podSubnets and service CIDRs only, sorts the rest numerically and takes the first: a pool outside
 * podSubnets that sorts before the LAN wins (talos nodeip.go, address_filter.go, compare.go@1.10).
 */
import { type Cidr, contains, nthSubnet, overlaps, parseAddress, parseCidr } from '../base/cidr.ts';

export interface FlipRisk {
  readonly flips: boolean;
  readonly because: string;
}

export function flipRisk(options: {
  readonly pool: Cidr;
  readonly podSubnets: readonly string[];
  readonly nodeAddresses: readonly string[];
  readonly pinned: boolean;
}): FlipRisk {
  const { pool, podSubnets, nodeAddresses, pinned } = options;
  if (pinned) return { flips: false, because: 'every node has nodeIP.validSubnets already' };
  const covered = podSubnets
    .map(parseCidr)
    .some((subnet) => subnet !== undefined && contains(subnet, pool));
  if (covered)
    return { flips: false, because: 'the pool is inside podSubnets, which Talos leaves out' };
  const later = nodeAddresses.find((text) => {
    const address = parseAddress(text);
    return address !== undefined && address.family === 4 && pool.first < address.first;
  });
  if (later === undefined) {
    return {
      flips: false,
      because: `every node address sorts before ${pool.text}, so Talos goes on taking it`,
    };
  }
  return {
    flips: true,
    because: `${pool.text} is outside podSubnets and sorts before the node address ${later}`,
  };
}

/** The LAN of the nodes: the longest common prefix, at most a /24, or single addresses where that meets a pod range. */
export function lanOf(
  nodeAddresses: readonly string[],
  podRanges: readonly Cidr[],
): readonly string[] {
  const addresses = nodeAddresses
    .map(parseAddress)
    .filter((address) => address?.family === 4)
    .filter((address) => address !== undefined);
  if (addresses.length === 0) return [];
  const whole = parseCidr('0.0.0.0/0');
  if (whole === undefined) return [];
  for (let prefix = 24; prefix >= 8; prefix -= 1) {
    const size = 1n << BigInt(32 - prefix);
    const index = (addresses[0]?.first ?? 0n) / size;
    if (!addresses.every((address) => address.first / size === index)) continue;
    const text = nthSubnet(whole, prefix, Number(index));
    const lan = parseCidr(text);
    if (lan !== undefined && podRanges.every((range) => !overlaps(range, lan))) return [text];
    break;
  }
  return nodeAddresses.map((address) => `${address}/32`);
}
