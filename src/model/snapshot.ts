/** What a snapshot that regauge made says of itself (contract: a snapshot, tidier). */
export interface SnapshotManifest {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Snapshot';
  /** RFC 3339; when it was begun. */
  readonly takenAt: string;
  readonly cluster: {
    readonly server?: string;
    /** The uid of the namespace kube-system. */
    readonly uid?: string;
    /** As the server says it. */
    readonly kubernetes: string;
  };
  /** False while it is being made, and for ever when that was interrupted. */
  readonly complete: boolean;
  readonly files: readonly SnapshotFile[];
  /** What was read of the machines; absent where nobody was asked for it. */
  readonly nodes?: readonly NodeSnapshot[];
  /** Members as one control plane tells them. */
  readonly etcd?: readonly SnapshotEtcdMember[];
  /** Releases of the CNI, by Helm's own records; absent while they were not asked for. */
  readonly helm?: readonly SnapshotRelease[];
  readonly notRead: readonly NotRead[];
}

/** What is missing could not be unpacked. */
export interface SnapshotRelease {
  readonly name: string;
  readonly namespace: string;
  /** The one that is deployed, else the last. */
  readonly revision?: number;
  readonly status?: string;
  /** `cilium-1.16.5`. */
  readonly chart?: string;
  /** The file that holds the values. */
  readonly values?: string;
}

export interface NodeSnapshot {
  readonly name: string;
  /** Below `nodes/<name>`. */
  readonly files: readonly string[];
  /** Version of the operating system, where its API tells it. */
  readonly system?: string;
}

export interface SnapshotEtcdMember {
  readonly hostname: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

export interface SnapshotFile {
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly objects: number;
}

export interface NotRead {
  readonly what: string;
  readonly why: string;
  /** What would read it. */
  readonly command: string;
}
