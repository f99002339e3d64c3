/** What a rehearsal says (contract: Rehearsal). Times are seconds of virtual time since the start. */
import type { Breakage, SweepOutcome } from './fault-sweep.ts';
import type { Evidence } from './finding.ts';
import type { ProbeMethod } from './probe.ts';

export type Outcome = 'clean' | 'degraded' | 'stuck' | 'harmful';

export interface RehearsalSummary {
  readonly nodes: number;
  readonly pods: number;
  readonly podsRestarted: number;
  readonly maxRestartsPerPod: number;
  readonly podsStuck: number;
  readonly podOutageSeconds: {
    readonly total: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly dnsOutageSeconds: number;
  readonly apiUnauthorized: number;
  readonly volumesStuck: number;
  readonly policyGapSeconds: number;
  readonly longestPathGapMs: number;
  readonly makespanSeconds: number;
  /** Absent in documents of versions that did not measure it. */
  readonly coveredWorkloads?: CoveredWorkloads;
}

/** Workloads of two replicas or more with a PodDisruptionBudget; an outage is time with no pod ready. */
export interface CoveredWorkloads {
  readonly count: number;
  readonly outageSeconds: { readonly total: number; readonly max: number };
}

export interface RehearsalFailure {
  readonly subject: {
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly node?: string;
  };
  readonly symptom: string;
  readonly message: string;
  readonly at: number;
  readonly until?: number;
  /** Where the chains end. */
  readonly rootCauses: readonly string[];
  /** The nearest causes: where the chains begin, seen from the failure. */
  readonly because: readonly string[];
}

export interface RehearsalCause {
  readonly id: string;
  readonly covers: readonly string[];
  readonly title: string;
  readonly node?: string;
  readonly because: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** A step of the plan that ended it, or a command of the runbook that was refused or ran out of time. */
export interface FailedStep {
  readonly step: string;
  readonly title: string;
  readonly at: number;
  readonly message: string;
}

export interface TimelineEntry {
  readonly at: number;
  readonly node?: string;
  readonly step?: string;
  readonly event: string;
}

export interface Rehearsal {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Rehearsal';
  readonly name: string;
  readonly outcome: Outcome;
  readonly seed: number;
  readonly summary: RehearsalSummary;
  readonly failures: readonly RehearsalFailure[];
  readonly causes: readonly RehearsalCause[];
  readonly timeline: readonly TimelineEntry[];
  readonly failedSteps: readonly FailedStep[];
  readonly invariants: readonly {
    readonly name: string;
    readonly held: boolean;
    readonly firstViolation?: { readonly at: number; readonly message: string };
  }[];
  /** What was not read and what the twin took instead, with the command that would tell. */
  readonly assumptions: readonly Assumption[];
  /** What was observed per path class and node pair, as `verify` prints it. */
  readonly paths: readonly PathObservation[];
  readonly nodeHistories: readonly NodeHistory[];
  /** Only of a rehearsal in which faults were to strike. */
  readonly underFaults?: UnderFaults;
}

export interface UnderFaults {
  /** As `--fault` takes them, with when they struck (seconds); null where their step never began. */
  readonly faults: readonly { readonly fault: string; readonly at: number | null }[];
  readonly outcome: SweepOutcome;
  readonly broke: readonly Breakage[];
  /** How often the plan was run: once, and again after each stop or kill. */
  readonly runs: number;
}

export interface Assumption {
  readonly about: string;
  readonly assumed: string;
  readonly because: string;
  readonly command?: string;
}

/** How a node fared: spans of its state, in order, without overlap; for the timeline. */
export interface NodeHistory {
  readonly node: string;
  readonly spans: readonly NodeSpan[];
}

export interface NodeSpan {
  readonly from: number;
  readonly to: number;
  /** `down`: the machine. `no-network`: up, and the runtime has no usable network. */
  readonly state: 'down' | 'no-network' | 'ready';
  /** Running pods by the network that gave them their address, and pods that wait for one. */
  readonly pods: { readonly old: number; readonly new: number; readonly stuck: number };
  readonly unschedulable: boolean;
}

export const PATH_CLASSES = [
  'pod-old',
  'pod-new',
  'host',
  'service',
  'nodeport',
  'dns-internal',
  'dns-external',
  'egress',
  'apiserver',
] as const;
export type PathClass = (typeof PATH_CLASSES)[number];

/** One path of the contract's Verification. */
export interface PathObservation {
  readonly from: { readonly class: PathClass; readonly node: string };
  readonly to: { readonly class: PathClass; readonly node: string };
  readonly protocol: 'tcp' | 'udp' | 'dns' | 'http';
  /** How it was measured, where a path is measured in several ways. */
  readonly method?: ProbeMethod;
  readonly sent: number;
  readonly lost: number;
  readonly longestGapMs: number;
  readonly sourceSeen: string | null;
  /** Gaps as [from, to] in seconds; for the report's heat map. */
  readonly gaps: readonly (readonly [number, number])[];
}
