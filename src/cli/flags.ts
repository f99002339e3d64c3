/** The flags of each command, as the command receives them. */
import type { Severity } from '../model/finding.ts';
import type { Distribution } from '../model/facts.ts';
import type { NodeStrategy } from '../model/plan.ts';
import type { DocumentFormat } from './output-format.ts';

interface VersionFlags {
  readonly ciliumVersion?: string;
  readonly talosVersion?: string;
}

/** Which cluster, as kubectl is told. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly as?: string;
}

/** Which Talos API, as talosctl is told. */
export interface TalosFlags {
  readonly talosconfig?: string;
  readonly talosContext?: string;
  /** Separated by commas. */
  readonly endpoints?: string;
}

/** What host access pods are made of. */
export interface HostImageFlags {
  readonly hostAccessImage?: string;
  readonly registryMirror?: string;
}

/** How the machines are asked for what the Kubernetes API does not tell. */
export interface NodeFlags extends TalosFlags, HostImageFlags {
  /** Names or addresses, separated by commas. */
  readonly nodes?: string;
  /** Pods may be made on nodes. */
  readonly hostAccess?: boolean;
}

export interface SnapshotFlags extends ClusterFlags, NodeFlags {
  readonly out: string;
  readonly asTar: boolean;
  readonly output: DocumentFormat;
}

export interface LiveFlags extends ClusterFlags, NodeFlags {
  /** Read the cluster itself, besides the files. */
  readonly live: boolean;
}

export interface CheckFlags extends VersionFlags, LiveFlags {
  readonly output: DocumentFormat | 'sarif' | 'junit';
  readonly failOn: Severity;
  readonly only?: string;
  readonly ignore?: string;
}

export interface PlanFlags extends VersionFlags, LiveFlags {
  readonly target?: string;
  readonly strategy?: NodeStrategy;
  readonly waveSize?: number;
  readonly poolCidr?: string;
  readonly out?: string;
  readonly output: DocumentFormat;
}

export interface RehearseFlags extends VersionFlags, LiveFlags {
  readonly target?: string;
  readonly runbook?: string;
  readonly plan?: string;
  readonly strategy?: NodeStrategy;
  readonly waveSize?: number;
  readonly poolCidr?: string;
  readonly seed?: number;
  /** Sweep faults × steps × seeds. */
  readonly faults?: boolean;
  /** Faults that strike, or, with `faults`, those to sweep. */
  readonly fault?: readonly string[];
  readonly rehearsals?: number;
  /** Search the changes that make it end clean. */
  readonly fix?: boolean;
  /** Go back from point after point of the plan. */
  readonly rollback?: 'waves' | 'steps';
  readonly workers?: number;
  readonly report?: string;
  readonly events: boolean;
  readonly output: DocumentFormat;
}

export interface IncidentFlags {
  readonly run: 'both' | 'as-done' | 'as-planned';
  readonly seed?: number;
  readonly report?: string;
  readonly output: DocumentFormat;
}

export interface ExplainNodeFlags {
  readonly runtime?: string;
  readonly distribution?: Distribution;
  readonly talosVersion?: string;
  readonly node?: string;
  readonly output: DocumentFormat;
}

export interface TwinServeFlags {
  readonly cluster?: string;
  readonly speed: number | 'max';
  readonly listen: string;
  readonly iKnowOthersCanReachIt: boolean;
  readonly out?: string;
  readonly seed?: number;
  readonly output: DocumentFormat;
}

/** What a change of a cluster takes, there or back. */
export interface ProbeFlags {
  readonly probeImage?: string;
  readonly egress?: string;
  readonly externalName?: string;
}

export interface ChangeFlags extends ClusterFlags, TalosFlags, HostImageFlags, ProbeFlags {
  readonly yes: boolean;
  readonly takeOver: boolean;
  readonly gateTimeout?: number;
  readonly budget?: string;
  readonly chart?: string;
  readonly auditLog?: string;
  /** An address that is sent the audit log besides. */
  readonly audit?: string;
  readonly auditRequired: boolean;
  readonly backups?: string;
  readonly output: DocumentFormat | 'ndjson';
}

export interface MigrateFlags extends ChangeFlags, VersionFlags {
  readonly target?: string;
  readonly resume: boolean;
  /** Names of facts, separated by commas. */
  readonly acceptDrift?: string;
}

export interface VerifyFlags extends ClusterFlags, ProbeFlags {
  readonly seconds?: number;
  readonly policies: boolean;
  readonly takeOver: boolean;
  readonly registryMirror?: string;
  readonly output: DocumentFormat;
}

export interface StatusFlags extends ClusterFlags, TalosFlags {
  readonly output: DocumentFormat;
}
