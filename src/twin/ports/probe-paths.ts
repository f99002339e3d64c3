/** The paths that are probed (model/probe-paths.ts), as the twin keeps them: each with its book. */
import { type PlannedPath, plannedPathsAt } from '../../model/probe-paths.ts';
import type { ProbeTarget } from '../../model/probe.ts';
import type { PathClass, PathObservation } from '../../model/rehearsal.ts';
import { PathLog } from './path-log.ts';

export type TargetKind = ProbeTarget;

export interface ProbePath {
  readonly from: { readonly end: 'pod' | 'host'; readonly node: string };
  readonly to: { readonly kind: TargetKind; readonly node: string };
  /** Place of the other node in the ring; 0 for the node itself. */
  readonly peer: number;
  readonly log: PathLog;
  /** The pod that a service chose when the path was last looked at. */
  backend: { readonly uid: string; readonly node: string } | undefined;
  dirty: boolean;
}

export function pathsOf(ring: readonly string[]): ProbePath[] {
  return ring.flatMap((_, index) => plannedPathsAt(ring, index).map(pathOf));
}

function pathOf({ end, node, kind, to, peer }: PlannedPath): ProbePath {
  return {
    from: { end, node },
    to: { kind, node: to },
    peer,
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
