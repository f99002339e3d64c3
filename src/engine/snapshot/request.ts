/** What a snapshot is asked for, where it goes, and how it tells of its progress. */
import type { NotRead, SnapshotManifest } from '../../model/snapshot.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import type { NodeContentsPort } from '../../ports/node-contents.ts';

/** Where a snapshot goes. A file that was begun and not finished must not look whole. */
export interface SnapshotSink {
  begin(name: string): Promise<SnapshotPart>;
  /** Takes a finished file away again: its list began anew. */
  discard(name: string): Promise<void>;
  /** Replaces the manifest, whole or not at all. */
  manifest(manifest: SnapshotManifest): Promise<void>;
}

export interface SnapshotPart {
  /** UTF-8; the bytes are used again once the promise is kept. */
  write(text: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

export interface SnapshotRequest {
  readonly kubernetes: Pick<
    KubernetesReads,
    'get' | 'pages' | 'rawPages' | 'resources' | 'version'
  >;
  readonly sink: SnapshotSink;
  /** The machines, where they can be asked; always anew, they are few and small. */
  readonly nodes?: SnapshotNodes;
  /** RFC 3339. */
  readonly takenAt: string;
  readonly server?: string;
  /** Of a snapshot that was interrupted. */
  readonly earlier?: SnapshotManifest;
  readonly onProgress?: (progress: SnapshotProgress) => void;
  readonly signal?: AbortSignal;
}

export interface SnapshotNodes {
  readonly contents: NodeContentsPort;
  /** Names or addresses; all nodes when absent. */
  readonly only?: readonly string[];
  /** What is known beforehand to be missing. */
  readonly notRead?: readonly NotRead[];
}

export interface SnapshotProgress {
  readonly kind: string;
  readonly objects: number;
  readonly state: 'reading' | 'done' | 'kept' | 'failed';
}
