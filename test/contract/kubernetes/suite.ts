/** The whole Kubernetes contract over one kind of target. */
import { describeApply } from './apply.ts';
import { describeContainers } from './containers.ts';
import { describeDeletion } from './deletion.ts';
import { describeLists } from './lists.ts';
import { describeMetrics } from './metrics.ts';
import { describeObjects } from './objects.ts';
import type { TargetKind } from './target.ts';
import { describeWatches } from './watches.ts';

export function describeKubernetes(kind: TargetKind): void {
  describeObjects(kind);
  describeApply(kind);
  describeLists(kind);
  describeWatches(kind);
  describeDeletion(kind);
  describeContainers(kind);
  describeMetrics(kind);
}
