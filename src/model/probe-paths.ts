/**
 * Which paths are probed, and how often: per node three peers of a ring (so that every node is also
 * probed by three), and from its pod and its host the services and names that workloads use. The
 * number grows with the nodes, not with their pairs (failure-domains.md 2.8).
 */
import type { ProbeEnd, ProbeMethod, ProbeTarget } from './probe.ts';

const PEERS = 3;

export interface PlannedPath {
  readonly end: ProbeEnd;
  readonly node: string;
  readonly kind: ProbeTarget;
  readonly to: string;
  /** Place of the other node in the ring, from here; 0 for the node itself. */
  readonly peer: number;
}

/** The ring: nodes in the order of a hash of their names, so that a node more moves few peers. */
export function ringOf(nodes: Iterable<string>): readonly string[] {
  return [...nodes]
    .map((name) => ({ name, hash: hashOf(name) }))
    .toSorted((left, right) => left.hash - right.hash || (left.name < right.name ? -1 : 1))
    .map(({ name }) => name);
}

/** Peers of the node at the index, nearest first; none where it is alone. */
export function peersAt(ring: readonly string[], index: number): readonly string[] {
  const count = Math.max(0, Math.min(PEERS, ring.length - 1));
  return Array.from({ length: count }, (_, step) => ring[(index + step + 1) % ring.length] ?? '');
}

export function plannedPathsAt(ring: readonly string[], index: number): readonly PlannedPath[] {
  const node = ring[index] ?? '';
  const peers = peersAt(ring, index);
  const first = peers[0] ?? node;
  const near = peers.length === 0 ? 0 : 1;
  const path = (end: ProbeEnd, kind: ProbeTarget, to: string, peer: number): PlannedPath => ({
    end,
    node,
    kind,
    to,
    peer,
  });
  return [
    ...peers.map((peer, step) => path('pod', 'pod', peer, step + 1)),
    path('pod', 'host', first, near),
    path('pod', 'service', node, 0),
    path('pod', 'nodeport', first, near),
    path('pod', 'dns-internal', node, 0),
    path('pod', 'dns-external', node, 0),
    path('pod', 'egress', node, 0),
    path('pod', 'apiserver', node, 0),
    path('host', 'pod', node, 0),
    path('host', 'pod', first, near),
    path('host', 'service', node, 0),
  ];
}

/** Milliseconds between two samples, by method. */
export interface PlannedMethod {
  readonly method: ProbeMethod;
  readonly periodMs: number;
}

/** ≥ 10 Hz per class and node (issue 5). */
const FAST_MS = 100;
/** Where another path of the class is probed fast: looked at slowly, and on each tick from the first loss on. */
const SLOW_MS = 500;
/** From the host, whose agent wakes half as often. */
const HOST_MS = 400;
/** A new connection costs as much as ten datagrams; one that fails is tried on each tick. */
const NEW_MS = 2_000;
/** Among more nodes than this, more seldom: the paths of a class are as many as the nodes. */
const MANY_NODES = 100;
const NEW_AMONG_MANY_MS = 5_000;

/**
 * What all nodes share gets no more than this in all, per second: 10 Hz from each node up to the
 * number of nodes at which that is reached, and less from each beyond.
 */
const SHARED_PER_SECOND: Readonly<Partial<Record<ProbeTarget, number>>> = {
  'dns-internal': 1_000,
  'dns-external': 1_000,
  apiserver: 100,
  egress: 100,
};

/** How the path is measured; `nodes` is the number of all. */
export function methodsOf(
  { end, kind, peer }: Pick<PlannedPath, 'end' | 'kind' | 'peer'>,
  nodes: number,
): readonly PlannedMethod[] {
  switch (kind) {
    case 'pod':
      return podMethods(end, peer, newPeriod(nodes));
    case 'host':
      return [{ method: 'udp', periodMs: FAST_MS }];
    case 'service':
    case 'nodeport':
      return [
        { method: 'tcp-held', periodMs: end === 'pod' ? FAST_MS : HOST_MS },
        { method: 'http', periodMs: newPeriod(nodes) },
      ];
    case 'dns-internal':
    case 'dns-external':
      return [{ method: 'dns', periodMs: sharedPeriod(kind, nodes) }];
    case 'apiserver':
    case 'egress':
      return [{ method: 'tcp-new', periodMs: sharedPeriod(kind, nodes) }];
  }
}

function podMethods(end: ProbeEnd, peer: number, newMs: number): readonly PlannedMethod[] {
  const periodMs = end === 'host' ? HOST_MS : peer === 1 ? FAST_MS : SLOW_MS;
  const udp = { method: 'udp', periodMs } as const;
  if (end === 'host' || peer !== 1) return [udp];
  return [
    udp,
    { method: 'tcp-held', periodMs: SLOW_MS },
    { method: 'http', periodMs: newMs },
    { method: 'udp-full', periodMs: newMs },
  ];
}

function newPeriod(nodes: number): number {
  return nodes > MANY_NODES ? NEW_AMONG_MANY_MS : NEW_MS;
}

function sharedPeriod(kind: ProbeTarget, nodes: number): number {
  const perSecond = SHARED_PER_SECOND[kind] ?? 0;
  const fair = (nodes * 1_000) / perSecond;
  return Math.max(FAST_MS, Math.ceil(fair / FAST_MS) * FAST_MS);
}

/** Whether all nodes send to the same few, so that a path that fails may not be looked at more often. */
export function isShared(kind: ProbeTarget): boolean {
  return SHARED_PER_SECOND[kind] !== undefined;
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
