/** What `regauge explain-node` says of one node: the document behind its text. */
export interface NodeExplanation {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'NodeExplanation';
  /** Null when the files do not name it. */
  readonly node: string | null;
  /** `containerd 2.0.5`. */
  readonly runtime: string;
  /** `talos 1.10.2`. */
  readonly distribution: string;
  readonly confDirectory: string;
  readonly now: NetworkAnswer;
  readonly afterReboot: NetworkAnswer;
  readonly files: readonly FileExplanation[];
  readonly beliefs: readonly Belief[];
  /** What was not told and taken for granted, with the command that would tell. */
  readonly assumptions: readonly { readonly what: string; readonly command: string }[];
}

/** Which network the node's next pod gets. */
export interface NetworkAnswer {
  readonly ready: boolean;
  /** The runtime's own words when it is not ready. */
  readonly message: string;
  readonly network: string | null;
  readonly file: string | null;
  readonly plugins: readonly string[];
  /** One per circumstance that decides and is not known. */
  readonly pods: readonly PodOutcome[];
  readonly why: readonly string[];
}

export interface PodOutcome {
  /** The circumstance; null when there is only one. */
  readonly when: string | null;
  readonly ok: boolean;
  /** The runtime's error, as the pod's event shows it. */
  readonly error: string | null;
}

export interface FileExplanation {
  readonly file: string;
  readonly fate: 'loaded' | 'ignored' | 'unread' | 'broken' | 'skipped' | 'standby';
  readonly meaning: string;
  /** What a pod would get if no other conf were there; null for a file no loader looks at. */
  readonly alone: NetworkAnswer | null;
}

/** Something people say about CNI selection, held against this node. */
export interface Belief {
  readonly belief: string;
  readonly holds: boolean;
  readonly why: string;
  readonly sources: readonly string[];
}
