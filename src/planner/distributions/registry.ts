/** The adapter of each distribution that plans are made for. */
import { unreachable } from '../../base/assert.ts';
import type { ClusterFacts, Distribution, NodeFacts } from '../../model/facts.ts';
import type { DistributionAdapter } from './adapter.ts';
import { rke2 } from './rke2.ts';
import { type NamedObject, withObjects } from './with-objects.ts';

/** Others are refused before anything is asked of an adapter. */
export type PlannedDistribution = 'talos' | 'kubeadm' | 'rke2';

const PLANNED: Readonly<Record<PlannedDistribution, true>> = {
  talos: true,
  kubeadm: true,
  rke2: true,
};

export function isPlanned(distribution: Distribution): distribution is PlannedDistribution {
  return Object.hasOwn(PLANNED, distribution);
}

/** What adapters choose by, plain already. */
export interface DistributionContext {
  readonly facts: ClusterFacts;
  readonly controlPlanes: readonly NodeFacts[];
  readonly workers: readonly NodeFacts[];
  readonly kubernetesVersion: string;
  readonly flannelDaemonSet: NamedObject;
  readonly kubeProxyPresent: boolean;
}

export function adapterFor(
  distribution: PlannedDistribution,
  context: DistributionContext,
): DistributionAdapter {
  switch (distribution) {
    case 'talos':
    case 'kubeadm':
      return withObjects(distribution, context.flannelDaemonSet);
    case 'rke2':
      return rke2(context);
    default:
      return unreachable(distribution);
  }
}
