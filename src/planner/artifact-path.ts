/** Where the artifact of a step is, relative to the plan. */
import type { Action, Step } from '../model/plan.ts';

export function artifactPath({ id, action }: Step): string {
  const endings: Partial<Record<Action['kind'], string>> = {
    'install-helm-release': 'values.yaml',
    'patch-machine-config': 'patch.yaml',
  };
  return `artifacts/${id.replaceAll('/', '-')}.${endings[action.kind] ?? 'yaml'}`;
}
