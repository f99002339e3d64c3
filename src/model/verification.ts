/** What `verify` says (contract: Verification): paths as they were measured, and what policies forbid. */
import type { RulesOwner } from './plan.ts';
import type { PathObservation } from './rehearsal.ts';

/** `unknown`: of some node nothing is known, and no path that is known fails. */
export const VERIFICATION_VERDICTS = ['clear', 'failing', 'unknown'] as const;

/** With the policy in force. */
export const POLICY_OUTCOMES = ['denied', 'reached', 'not-tested'] as const;

export interface ForbiddenConnection {
  readonly from: PathObservation['from'];
  readonly to: PathObservation['to'];
  /** Before the policy was there: without it, a connection that fails proves nothing. */
  readonly reachedBefore: boolean;
  readonly outcome: (typeof POLICY_OUTCOMES)[number];
}

export interface PolicyTest {
  /** What was tested, in words. */
  readonly tested: string;
  /** Whether the network is said to enforce policies (Cilium's `enable-policy`); null: not known. */
  readonly enforcementExpected: boolean | null;
  /**
   * Policies for the whole cluster, as `AdminNetworkPolicy name`, which were not tried: what they forbid
   * cannot be asked from our own pods. One of them may allow what our policy forbids.
   */
  readonly clusterwide: readonly string[];
  readonly connections: readonly ForbiddenConnection[];
}

/** Rules in packet filters whose programs run no more. */
export interface LeftRules {
  /** Whose were looked for. */
  readonly owners: readonly RulesOwner[];
  /** Where some are, in words: `FLANNEL-POSTRTG of table nat (iptables-nft)`. */
  readonly nodes: readonly { readonly node: string; readonly rules: readonly string[] }[];
  /** Where it could not be seen, and why. */
  readonly unread: readonly { readonly node: string; readonly message: string }[];
}

export interface Verification {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Verification';
  readonly seconds: number;
  readonly paths: readonly PathObservation[];
  /** Paths that lose packets at the end. */
  readonly failing: readonly {
    readonly from: PathObservation['from'];
    readonly to: PathObservation['to'];
    readonly sinceMs: number;
    readonly message: string;
  }[];
  /** Nodes of whose paths nothing is known, and why. */
  readonly unknown: readonly { readonly node: string; readonly message: string }[];
  readonly policies?: PolicyTest;
  /** Absent where Cilium is not there, or the programs of all owners run; told, and no part of the verdict. */
  readonly leftRules?: LeftRules;
  readonly verdict: (typeof VERIFICATION_VERDICTS)[number];
}
