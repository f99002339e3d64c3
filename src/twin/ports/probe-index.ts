/** Which paths an event can touch: by node, by the backend they go to, by what they ask for. */
import { groupBy } from '../../base/group-by.ts';
import type { ProbePath, TargetKind } from './probe-paths.ts';

const NONE: readonly ProbePath[] = [];

export class ProbeIndex {
  readonly paths: readonly ProbePath[];
  private readonly byNode = new Map<string, ProbePath[]>();
  private readonly byBackend = new Map<string, Set<ProbePath>>();
  private readonly byBackendNode = new Map<string, Set<ProbePath>>();
  private readonly byKind: ReadonlyMap<string, readonly ProbePath[]>;

  constructor(paths: readonly ProbePath[]) {
    this.paths = paths;
    this.byKind = groupBy(paths, ({ to }) => to.kind);
    for (const path of paths) {
      for (const node of new Set([path.from.node, path.to.node])) {
        const list = this.byNode.get(node);
        if (list === undefined) this.byNode.set(node, [path]);
        else list.push(path);
      }
    }
  }

  /** Paths that begin or end on the node, whatever they go over. */
  endingOn(node: string): readonly ProbePath[] {
    return this.byNode.get(node) ?? NONE;
  }

  to(kind: TargetKind): readonly ProbePath[] {
    return this.byKind.get(kind) ?? NONE;
  }

  throughNode(node: string): Iterable<ProbePath> {
    return this.byBackendNode.get(node) ?? NONE;
  }

  through(podUid: string): Iterable<ProbePath> {
    return this.byBackend.get(podUid) ?? NONE;
  }

  /** Pods that paths go through now. */
  backends(): Iterable<string> {
    return this.byBackend.keys();
  }

  setBackend(path: ProbePath, backend: ProbePath['backend']): void {
    if (path.backend?.uid === backend?.uid && path.backend?.node === backend?.node) return;
    if (path.backend !== undefined) {
      drop(this.byBackend, path.backend.uid, path);
      drop(this.byBackendNode, path.backend.node, path);
    }
    path.backend = backend;
    if (backend === undefined) return;
    add(this.byBackend, backend.uid, path);
    add(this.byBackendNode, backend.node, path);
  }
}

function add(index: Map<string, Set<ProbePath>>, key: string, path: ProbePath): void {
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([path]));
  else set.add(path);
}

function drop(index: Map<string, Set<ProbePath>>, key: string, path: ProbePath): void {
  const set = index.get(key);
  set?.delete(path);
  if (set?.size === 0) index.delete(key);
}
