/** What `check` says before: a hazard foretold, with evidence, mechanism and fix (contract: CheckReport). */
import type { Source } from '../base/source.ts';

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** `proven`: follows from what was read. `likely`/`possible`: depends on what was not read. */
export type Certainty = 'proven' | 'likely' | 'possible';

export interface Evidence {
  /** Where, in words a person can follow: `values.yaml:12:3` or `Node talos-cp-01`. */
  readonly source: string;
  readonly file?: string;
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
  readonly value?: unknown;
}

export interface Fix {
  readonly summary: string;
  /** A YAML merge patch of the file the first evidence points at, or a unified instruction. */
  readonly patch?: string;
  readonly command?: string;
}

export interface Finding {
  readonly hazard: string;
  /** Failure modes of the catalogue: `FM-01`. */
  readonly covers: readonly string[];
  readonly severity: Severity;
  readonly certainty: Certainty;
  readonly title: string;
  /** The mechanism, in full sentences. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
  readonly fix: Fix | null;
  readonly references: readonly string[];
}

/** A hazard that could not be judged, and what was missing. */
export interface Unjudged {
  readonly hazard: string;
  readonly missing: readonly string[];
}

export interface CheckReport {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'CheckReport';
  readonly findings: readonly Finding[];
  readonly unknown: readonly Unjudged[];
  readonly summary: Readonly<Record<Severity, number>> & {
    readonly unknown: number;
    readonly hazardsEvaluated: number;
  };
}

export function evidenceAt(source: Source, value?: unknown): Evidence {
  const { file, line, column, path, object, node } = source;
  const place =
    file !== undefined
      ? [file, line, column].filter((part) => part !== undefined).join(':')
      : object !== undefined
        ? `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`
        : (node ?? 'input');
  return {
    source: place,
    ...(file === undefined ? {} : { file }),
    ...(path === undefined ? {} : { path }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(value === undefined ? {} : { value }),
  };
}
