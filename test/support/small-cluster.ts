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

/** One control plane and a few workers, generated: `t-cp-01`, `t-wrk-01`…; no workloads unless told. */
export function tinyCluster({
  prefix = 't',
  workers = 2,
  workloads = [],
}: {
  readonly prefix?: string;
  readonly workers?: number;
  readonly workloads?: NonNullable<ClusterSpecInput['workloads']>;
} = {}): ClusterInput {
  return smallCluster({
    name: 'tiny',
    nodes: { prefix, controlPlanes: 1, workers, firstAddress: '10.0.0.10' },
    workloads,
  });
}

/** A Deployment of two replicas that nothing protects. */
export const TWO_WEBS = {
  kind: 'Deployment',
  namespace: 'a',
  name: 'web',
  image: 'web:1',
  replicas: 2,
} as const;

function node(name: string, address: string, role: 'control-plane' | 'worker') {
  return { name, address, role };
}
