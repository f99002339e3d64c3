/** Which nodes hold replicas of which volumes: nodes that share one are never moved together. */
import type { ClusterFacts } from '../model/facts.ts';
import type { KubeObject } from '../model/kubernetes.ts';

interface Replica extends KubeObject {
  readonly spec?: { readonly nodeID?: string; readonly volumeName?: string };
}

interface Volume extends KubeObject {
  readonly spec?: { readonly numberOfReplicas?: number };
  readonly status?: { readonly state?: string; readonly robustness?: string };
}

export interface StorageFacts {
  readonly present: boolean;
  readonly volumesOf: ReadonlyMap<string, ReadonlySet<string>>;
  /** Attached volumes with one replica: they are away while its node's instance manager restarts. */
  readonly single: readonly string[];
  /** Attached volumes that are not healthy now. */
  readonly ill: readonly string[];
}

export function storageOf(facts: ClusterFacts): StorageFacts {
  const volumesOf = new Map<string, Set<string>>();
  const single: string[] = [];
  const ill: string[] = [];
  for (const { object } of facts.otherObjects) {
    if (!object.apiVersion.startsWith('longhorn.io/')) continue;
    if (object.kind === 'Replica') {
      const { nodeID = '', volumeName = '' } = (object as Replica).spec ?? {};
      if (nodeID !== '')
        volumesOf.set(nodeID, (volumesOf.get(nodeID) ?? new Set()).add(volumeName));
    }
    if (object.kind === 'Volume') {
      const { spec, status, metadata } = object as Volume;
      if (status?.state !== 'attached') continue;
      if (spec?.numberOfReplicas === 1) single.push(metadata.name);
      if (status.robustness !== undefined && status.robustness !== 'healthy')
        ill.push(metadata.name);
    }
  }
  const present = facts.workloads.daemonSets.some(
    ({ value }) => value.metadata.name === 'longhorn-manager',
  );
  return { present: present || volumesOf.size > 0, volumesOf, single, ill };
}
