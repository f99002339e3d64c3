/**
 * The pod pool for the new CNI: the one that was asked for, when it overlaps nothing, or one chosen
 * next to the old range, so that both share a short supernet (anchors 4.6). A pool is for good: it
 * can never be edited in place (cilium#28266, cluster-pool.rst).
 */
import { type Cidr, nthSubnet, overlaps, parseAddress, parseCidr } from '../base/cidr.ts';

export interface TakenRange {
  readonly cidr: Cidr;
  /** `service CIDR 10.96.0.0/12`. */
  readonly what: string;
}

export const MASK_SIZE = 24;
/** Room for nodes that come later. */
const HEAD_ROOM = 1.25;

export function takenRanges(parts: {
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodeAddresses: readonly string[];
}): readonly TakenRange[] {
  return [
    ...ranges(parts.podCidrs, 'pod CIDR'),
    ...ranges(parts.serviceCidrs, 'service CIDR'),
    ...ranges(parts.nodeAddresses, 'node address'),
  ];
}

function ranges(texts: readonly string[], what: string): readonly TakenRange[] {
  return texts.flatMap((text) => {
    const cidr = parseCidr(text) ?? parseAddress(text);
    return cidr === undefined ? [] : [{ cidr, what: `${what} ${text}` }];
  });
}

/** The first thing the pool overlaps with. */
export function clashOf(pool: Cidr, taken: readonly TakenRange[]): TakenRange | undefined {
  return taken.find(({ cidr }) => overlaps(pool, cidr));
}

/** How many nodes the pool has ranges for. */
function nodesIn(pool: Cidr, maskSize: number): number {
  return maskSize < pool.prefix ? 0 : 2 ** Math.min(30, maskSize - pool.prefix);
}

/** The longest prefix that has room for the nodes and those to come; never longer than /16. */
function prefixFor(nodes: number, maskSize = MASK_SIZE): number {
  const bits = Math.ceil(Math.log2(Math.max(2, Math.ceil(nodes * HEAD_ROOM))));
  return Math.min(16, maskSize - bits);
}

/** Ranges tried when no neighbour of the old range is free: private and shared address space. */
const FALLBACKS = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12'] as const;

/** A free range: the nearest neighbours of the old one first. Undefined when nothing is free. */
export function choosePool(
  old: Cidr | undefined,
  nodes: number,
  taken: readonly TakenRange[],
): string | undefined {
  const prefix = prefixFor(nodes);
  const candidates = [
    ...(old === undefined ? [] : neighbours(old, prefix)),
    ...FALLBACKS.flatMap((range) => backwards(range, prefix)),
  ];
  return candidates.find((text) => {
    const cidr = parseCidr(text);
    return cidr !== undefined && clashOf(cidr, taken) === undefined;
  });
}

/** Ranges of the size in ever wider supernets of the old range. */
function* neighbours(old: Cidr, prefix: number): Generator<string> {
  const size = 1n << BigInt(32 - prefix);
  const home = old.first / size;
  for (let distance = 1n; distance <= 8n; distance += 1n) {
    for (const index of [home + distance, home - distance]) {
      const first = index * size;
      if (first < 10n << 24n || first + size > 11n << 24n) continue;
      const whole = parseCidr('0.0.0.0/0');
      if (whole !== undefined) yield nthSubnet(whole, prefix, Number(index));
    }
  }
}

/** From the upper end down: the lower ends are what people and clouds take first. */
function backwards(range: string, prefix: number): readonly string[] {
  const cidr = parseCidr(range);
  if (cidr === undefined || prefix < cidr.prefix) return [];
  const count = 2 ** Math.min(10, prefix - cidr.prefix);
  return Array.from({ length: count }, (_, index) => nthSubnet(cidr, prefix, count - 1 - index));
}

/** How many nodes all the pools have ranges for; 0 for one that is no CIDR. */
export function roomIn(pools: readonly string[], maskSize: number): number {
  return pools.reduce((room, text) => {
    const cidr = parseCidr(text);
    return room + (cidr === undefined ? 0 : nodesIn(cidr, maskSize));
  }, 0);
}
