/** The Helm release of a plan, with the values of one of its phases. */
import type { Action, Gate } from '../model/plan.ts';
import type { ChartValues } from '../knowledge/cilium-chart/values.ts';
import type { Choices } from './choices.ts';

export function releaseWith(
  { release, namespace, version }: Choices,
  values: ChartValues,
): Extract<Action, { kind: 'install-helm-release' }> {
  return { kind: 'install-helm-release', release, namespace, chart: 'cilium', version, values };
}

/** Before what keeps agents right beside the release goes: a restart later must not make them others. */
export function configurationGate({ release, namespace }: Choices): Gate {
  return { kind: 'configuration-kept', release, namespace };
}
