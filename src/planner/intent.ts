/** What a person wants of the migration; everything may be left out, and the planner says what it took. */
import type { TargetFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import type { NodeStrategy, Plan } from '../model/plan.ts';
import type { Artifact } from './artifacts.ts';

export interface Intent {
  /** The values that are wanted in the end; else the only ones among the facts. */
  readonly target?: TargetFacts;
  /** Chart version, where the files do not tell it. */
  readonly chartVersion?: string;
  readonly strategy?: NodeStrategy;
  /** Nodes moved together, at most. */
  readonly waveSize?: number;
  readonly poolCidr?: string;
  /** The control plane that holds etcd's leadership now (`talosctl etcd status`); goes last. */
  readonly etcdLeader?: string;
  /** `audit`: policies that no CNI enforced so far are first only watched. */
  readonly policies?: 'audit' | 'enforce' | 'never';
  /** The API may be away while the only control plane reboots. */
  readonly acceptApiOutage?: boolean;
}

export type PlanningResult =
  /** Artifacts are texts for people, and made when they are asked for: a rehearsal needs none. */
  | { readonly ok: true; readonly plan: Plan; artifacts(): readonly Artifact[] }
  | { readonly ok: false; readonly refusals: readonly Finding[] };

export interface Decision {
  readonly about: string;
  readonly choice: string;
  readonly because: string;
}
