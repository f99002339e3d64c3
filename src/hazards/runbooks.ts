/** The steps of all runbooks that were read, in order, each with its place. */
import type { Source } from '../base/source.ts';
import type { ClusterFacts } from '../model/facts.ts';
import type { KubectlCommand, RunbookStep } from '../model/runbook.ts';

export interface PlacedStep {
  readonly step: RunbookStep;
  /** Position among the steps of its own runbook. */
  readonly index: number;
  /** Which of the runbooks. */
  readonly runbook: number;
  readonly source: Source;
}

export function runbookSteps({ input }: ClusterFacts): readonly PlacedStep[] {
  return input.runbooks.flatMap(({ runbook, source }, number) =>
    runbook.steps.map((step, index) => ({
      step,
      index,
      runbook: number,
      source: { ...source, path: `steps[${index}]` },
    })),
  );
}

type Deletion = Extract<KubectlCommand, { readonly action: 'delete' }>;

export interface PlacedDeletion extends PlacedStep {
  readonly deletion: Deletion;
}

/** `kubectl delete` of one of the kinds. */
export function deletions(
  facts: ClusterFacts,
  ...kinds: readonly string[]
): readonly PlacedDeletion[] {
  return runbookSteps(facts).flatMap((placed) => {
    const { step } = placed;
    if (!('kubectl' in step) || step.kubectl.action !== 'delete') return [];
    return kinds.includes(step.kubectl.kind) ? [{ ...placed, deletion: step.kubectl }] : [];
  });
}

/** `step 7 ("Delete the ServiceAccount cilium")`, counted from one as a reader does. */
export function nameStep({ step, index }: PlacedStep): string {
  return step.title === undefined ? `step ${index + 1}` : `step ${index + 1} ("${step.title}")`;
}
