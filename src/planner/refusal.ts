/** Why there is no plan: findings in the form `check` uses, each with what to do about it. */
import type { Evidence, Finding, Severity } from '../model/finding.ts';

export interface RefusalDetails {
  readonly id: string;
  readonly covers: readonly string[];
  readonly title: string;
  readonly message: string;
  readonly fix: string;
  readonly command?: string;
  readonly evidence?: readonly Evidence[];
  readonly severity?: Severity;
  readonly references?: readonly string[];
}

/** Refusals for what was not read, rather than for what the cluster is: more input may lift them. */
export const FOR_LACK_OF_INPUT: ReadonlySet<string> = new Set([
  'nodes-unknown',
  'distribution-unknown',
  'source-cni-unknown',
  'machine-configs-unread',
]);

export function refusal(details: RefusalDetails): Finding {
  const {
    id,
    covers,
    title,
    message,
    fix,
    command,
    evidence = [],
    severity = 'critical',
    references = [],
  } = details;
  return {
    hazard: id,
    covers,
    severity,
    certainty: 'proven',
    title,
    message,
    evidence,
    fix: command === undefined ? { summary: fix } : { summary: fix, command },
    references,
  };
}
