/** The Helm release of a plan, with the values of one of its phases. */
import type { Action } from '../model/plan.ts';
import type { ChartValues } from '../knowledge/cilium-chart/values.ts';
import type { Choices } from './choices.ts';

export function releaseWith(
  { release, namespace, version }: Choices,
  values: ChartValues,
): Extract<Action, { kind: 'install-helm-release' }> {
  return { kind: 'install-helm-release', release, namespace, chart: 'cilium', version, values };
}
