/** What each step applies, as files a person can read, review and use without regauge. */
import { stringify } from 'yaml';
import type { Action, Plan, Step } from '../model/plan.ts';
import { artifactPath } from './artifact-path.ts';
import { runbookText } from './runbook-text.ts';

export interface Artifact {
  /** Relative path: `artifacts/install-secondary-install-cilium.values.yaml`. */
  readonly path: string;
  readonly text: string;
}

export function artifactsOf(plan: Plan): readonly Artifact[] {
  const files = plan.steps.flatMap((step) => {
    const artifact = artifactOf(step);
    return artifact === undefined ? [] : [artifact];
  });
  return [...files, { path: 'runbook.md', text: runbookText(plan) }];
}

function artifactOf(step: Step): Artifact | undefined {
  const text = textOf(step.action);
  return text === undefined
    ? undefined
    : { path: artifactPath(step), text: `# ${step.title}.\n# Because: ${step.because}.\n${text}` };
}

function textOf(action: Action): string | undefined {
  if (action.kind === 'install-helm-release')
    return stringify(action.values, { aliasDuplicateObjects: false });
  if (action.kind === 'patch-machine-config') return action.patch;
  if (action.kind === 'apply-objects')
    return action.objects
      .map((object) => stringify(object, { aliasDuplicateObjects: false }))
      .join('---\n');
  return undefined;
}
