/**
 * A snapshot that is kept in memory (what was finished, what was given up, and its manifests), and what
 * every cluster tells of itself before one is taken.
 */
import type { SnapshotRequest, SnapshotSink } from '../../src/engine/snapshot/request.ts';
import type { KubeObject } from '../../src/model/kubernetes.ts';
import type { SnapshotManifest } from '../../src/model/snapshot.ts';

export interface SnapshotMemory {
  readonly sink: SnapshotSink;
  readonly files: ReadonlyMap<string, string>;
  readonly abandoned: readonly string[];
  readonly manifests: readonly SnapshotManifest[];
}

export function snapshotMemory(): SnapshotMemory {
  const files = new Map<string, string>();
  const manifests: SnapshotManifest[] = [];
  const abandoned: string[] = [];
  const sink: SnapshotSink = {
    begin: (name) => {
      let text = '';
      return Promise.resolve({
        write: (more) => {
          text += Buffer.from(more).toString('utf8');
          return Promise.resolve();
        },
        finish: () => {
          files.set(name, text);
          return Promise.resolve();
        },
        abandon: () => {
          abandoned.push(name);
          return Promise.resolve();
        },
      });
    },
    discard: (name) => {
      files.delete(name);
      return Promise.resolve();
    },
    manifest: (manifest) => {
      manifests.push(manifest);
      return Promise.resolve();
    },
  };
  return { files, manifests, abandoned, sink };
}

/** Kubernetes 1.33, by the UID of its kube-system: `u-1`. */
export const IDENTIFIED: Pick<SnapshotRequest['kubernetes'], 'version' | 'get'> = {
  version: () => Promise.resolve({ major: '1', minor: '33', gitVersion: 'v1.33.0' }),
  get: <T extends KubeObject>() =>
    Promise.resolve({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-system', uid: 'u-1' },
    } as unknown as T), // the one object that is asked for
};
