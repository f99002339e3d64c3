/** How a migration and the nodes stand (contract: Status), and how a run ended. */

/** A run as the cluster remembers it: a hint for people, the cluster itself decides. */
export interface MigrationStatus {
  readonly planId: string;
  readonly phase: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** One that runs, or the one that failed. */
  readonly step?: string;
  readonly updatedAt: string;
  readonly state: 'running' | 'paused' | 'stopped' | 'done';
  readonly done: number;
  readonly total: number;
  /** Who ran it last, and where its audit log lies. */
  readonly holder: string;
  readonly auditLog?: string;
  readonly message?: string;
  /** Nodes that joined while it was under way, and are moved with the others. */
  readonly joined?: readonly string[];
}

export interface NodeStatus {
  readonly name: string;
  /** By the addresses of its pods; `none` when it has none on a pod network. */
  readonly owner: 'old' | 'new' | 'none' | 'both';
  readonly runtime: string;
  /** Base name of the CNI conf that a new pod gets now; null when there is none, or it was not read. */
  readonly activeConf: string | null;
  /** All that lies in the conf directory; null when it was not read. */
  readonly confs: readonly string[] | null;
  readonly pods: {
    readonly old: number;
    readonly new: number;
    readonly host: number;
    /** Without an address. */
    readonly stuck: number;
  };
  readonly ready: boolean;
  readonly cordoned?: 'regauge' | 'others';
}

/** Probe agents that stand in the cluster now; none between runs. */
export interface ProbesStatus {
  readonly agents: number;
  readonly ready: number;
}

export interface VolumesStatus {
  /** VolumeAttachments that hold. */
  readonly attached: number;
  readonly waiting: readonly {
    readonly name: string;
    readonly node: string;
    readonly message?: string;
  }[];
  /** Longhorn volumes in use that are not healthy. */
  readonly unhealthy: readonly { readonly name: string; readonly robustness: string }[];
}

/** Warning events of the last 15 minutes with one reason; subject and message of the newest. */
export interface WarningStatus {
  readonly reason: string;
  readonly count: number;
  /** RFC 3339. */
  readonly last: string;
  readonly subject: string;
  readonly message: string;
}

/** Of `probes`, `volumes` and `events` null is what may not be read. */
export interface StatusDocument {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Status';
  readonly migration?: MigrationStatus;
  readonly nodes: readonly NodeStatus[];
  readonly probes: ProbesStatus | null;
  readonly volumes: VolumesStatus | null;
  readonly events: readonly WarningStatus[] | null;
}

/** What `migrate -o json` prints when it has ended; the same run as events is `-o ndjson`. */
export interface RunResultDocument {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'RunResult';
  readonly planId: string;
  readonly outcome: 'done' | 'stopped' | 'paused' | 'halted';
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  readonly failed?: { readonly step: string; readonly message: string };
  readonly halted?: { readonly message: string; readonly steps: readonly string[] };
  readonly auditLog: string;
}
