/**
 * Which paths are probed: per node three peers of a ring (so that every node is also probed by
 * three), and from its pod and its host the services and names that workloads use. The number grows
 * with the nodes, not with their pairs (failure-domains.md 2.8).
 */
import type { PathClass, PathObservation } from '../../model/rehearsal.ts';
import { PathLog } from './path-log.ts';

export type TargetKind =
  | 'pod'
  | 'host'
  | 'nodeport'
  | 'service'
  | 'apiserver'
  | 'dns-internal'
  | 'dns-external'
  | 'egress';

export interface ProbePath {
  readonly from: { readonly end: 'pod' | 'host'; readonly node: string };
  readonly to: { readonly kind: TargetKind; readonly node: string };
  readonly log: PathLog;
  /** The pod that a service chose when the path was last looked at. */
  backend: { readonly uid: string; readonly node: string } | undefined;
  dirty: boolean;
}

const PEERS = 3;

/** The ring: nodes in the order of a hash of their names. */
export function ringOf(nodes: Iterable<string>): readonly string[] {
  return [...nodes]
    .map((name) => ({ name, hash: hashOf(name) }))
    .toSorted((left, right) => left.hash - right.hash || (left.name < right.name ? -1 : 1))
    .map(({ name }) => name);
}

export function pathsOf(ring: readonly string[]): ProbePath[] {
  return ring.flatMap((node, index) => {
    const peers = Array.from({ length: Math.min(PEERS, ring.length - 1) }, (_, step) => {
      return ring[(index + step + 1) % ring.length] ?? node;
    });
    const first = peers[0] ?? node;
    return [
      ...peers.map((peer) => path('pod', node, 'pod', peer)),
      path('pod', node, 'host', first),
      path('pod', node, 'service', node),
      path('pod', node, 'nodeport', first),
      path('pod', node, 'dns-internal', node),
      path('pod', node, 'dns-external', node),
      path('pod', node, 'egress', node),
      path('pod', node, 'apiserver', node),
      path('host', node, 'pod', node),
      path('host', node, 'pod', first),
      path('host', node, 'service', node),
    ];
  });
}

function path(end: 'pod' | 'host', node: string, kind: TargetKind, to: string): ProbePath {
  return {
    from: { end, node },
    to: { kind, node: to },
    log: new PathLog(),
    backend: undefined,
    dirty: false,
  };
}

export function protocolOf(kind: TargetKind): PathObservation['protocol'] {
  if (kind === 'dns-internal' || kind === 'dns-external') return 'dns';
  if (kind === 'pod' || kind === 'host') return 'udp';
  return kind === 'apiserver' ? 'http' : 'tcp';
}

/** The class of an end by the network its probe pod is on now. */
export function podClass(network: string | undefined): PathClass {
  return network === 'cilium' ? 'pod-new' : 'pod-old';
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
