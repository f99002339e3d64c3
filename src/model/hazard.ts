/** A hazard: a mechanism by which a CNI change hurts (design.md, "Words"). */
import type { ClusterFacts } from './facts.ts';
import type { Finding, Severity } from './finding.ts';
import type { OccurrenceKind } from './occurrence-kind.ts';

export interface Hazard {
  /** Kebab-case; equals the folder's name. */
  readonly id: string;
  /** Failure modes of the catalogue: `FM-01`. */
  readonly covers: readonly string[];
  readonly title: string;
  /** The severity a finding has unless the evidence makes it another. */
  readonly severity: Severity;
  /** Versions for which the mechanism was read or measured, in words. */
  readonly holdsFor: string;
  /** The mechanism, for `regauge explain`. One to four sentences. */
  readonly why: string;
  /** `repo:path@ref`, issue numbers, `truth:<case>`. */
  readonly references: readonly string[];
  foretell(facts: ClusterFacts): Foretelling;
  readonly signs: Signs;
}

export interface Foretelling {
  readonly findings: readonly Finding[];
  /** What was missing, where that kept the hazard from being judged; empty when it was judged. */
  readonly missing: readonly string[];
}

/** What is seen once the hazard has struck. */
export interface Signs {
  /** Kinds of occurrences in a rehearsal whose presence at a chain's root shows this hazard. */
  readonly occurrences: readonly OccurrenceKind[];
}
