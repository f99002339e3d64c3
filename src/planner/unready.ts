/** Workloads that were not ready when their objects were read: no gate waits for those. */
import type { ClusterFacts } from '../model/facts.ts';

export function unreadyBefore({ workloads }: ClusterFacts): readonly string[] {
  const counted = [
    ...workloads.deployments.map(({ value }) => ({
      value,
      wanted: value.spec.replicas ?? 1,
      ready: value.status?.readyReplicas,
    })),
    ...workloads.statefulSets.map(({ value }) => ({
      value,
      wanted: value.spec.replicas ?? 1,
      ready: value.status?.readyReplicas,
    })),
    ...workloads.daemonSets.map(({ value }) => ({
      value,
      wanted: value.status?.desiredNumberScheduled ?? 0,
      ready: value.status?.numberReady,
    })),
  ];
  return (
    counted
      // An object without a status came from a manifest and tells nothing.
      .filter(({ value, wanted, ready }) => value.status !== undefined && (ready ?? 0) < wanted)
      .map(
        ({ value }) =>
          `${value.kind} ${value.metadata.namespace ?? 'default'}/${value.metadata.name}`,
      )
      .toSorted()
  );
}
