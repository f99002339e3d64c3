/** The adapter of each distribution that plans are made for. */
import { unreachable } from '../../base/assert.ts';
import type { Distribution } from '../../model/facts.ts';
import type { DistributionAdapter, DistributionContext } from './adapter.ts';
import { k3s } from './k3s.ts';
import { rke2 } from './rke2.ts';
import { withObjects } from './with-objects.ts';

export function adapterFor(
  distribution: Distribution,
  context: DistributionContext,
): DistributionAdapter {
  switch (distribution) {
    case 'talos':
    case 'kubeadm':
      return withObjects(distribution, context.flannelDaemonSet);
    case 'k3s':
      return k3s(context);
    case 'rke2':
      return rke2(context);
    default:
      return unreachable(distribution);
  }
}
