/** A Talos cluster of a few nodes on Flannel, as a twin and a plan can be made of it. */
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { ClusterSpecInput } from '../../src/twin/scenario/cluster-spec.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../src/twin/scenario/read-spec.ts';

/** Three control planes `t-cp1`… and, unless told otherwise, two workers `t-w1`…; two workloads, one with a budget. */
export function smallCluster(more: Partial<ClusterSpecInput> = {}): ClusterInput {
  return expandCluster(
    clusterSpecOf({
      kind: 'ClusterSpec',
      name: 'small',
      versions: { talos: '1.10.2', kubernetes: '1.33.0' },
      network: { endpoint: 'https://10.0.0.9:6443' },
      machine: {},
      nodes: [
        ...[1, 2, 3].map((index) => node(`t-cp${index}`, `10.0.0.${10 + index}`, 'control-plane')),
        ...[1, 2].map((index) => node(`t-w${index}`, `10.0.0.${20 + index}`, 'worker')),
      ],
      workloads: [
        {
          kind: 'Deployment',
          namespace: 'apps',
          name: 'web',
          image: 'web:1',
          replicas: 3,
          ports: [8080],
          service: 'ClusterIP',
          budget: { maxUnavailable: 1 },
        },
        { kind: 'Deployment', namespace: 'apps', name: 'api', image: 'api:1', replicas: 2 },
      ],
      ...more,
    }),
  );
}

function node(name: string, address: string, role: 'control-plane' | 'worker') {
  return { name, address, role };
}
