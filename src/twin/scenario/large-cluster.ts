/** A cluster of any size for measuring: alike nodes, Deployments with sidecars, a Service each. */
import { assert } from '../../base/assert.ts';
import type { ClusterSpec } from './cluster-spec.ts';
import { clusterSpecOf } from './read-spec.ts';

const REPLICAS = 30;

export function largeCluster(size: { readonly nodes: number; readonly pods: number }): ClusterSpec {
  assert(size.nodes >= 4, 'three control planes and a worker at least');
  const count = Math.max(1, Math.round(size.pods / REPLICAS));
  return clusterSpecOf({
    kind: 'ClusterSpec',
    name: `large-${size.nodes}`,
    description: `${size.nodes} nodes with about ${size.pods} pods`,
    versions: { talos: '1.10.5', kubernetes: '1.33.2' },
    network: { podSubnet: '10.128.0.0/12', endpoint: 'https://10.8.0.5:6443', vip: '10.8.0.5' },
    machine: {},
    nodes: { prefix: 'node', controlPlanes: 3, workers: size.nodes - 3, firstAddress: '10.8.0.10' },
    workloads: Array.from({ length: count }, (_, index) => ({
      kind: 'Deployment' as const,
      namespace: `team-${String(index % 25).padStart(2, '0')}`,
      name: `service-${String(index).padStart(4, '0')}`,
      image: `registry.example.com/team/service-${index}:1.${index % 9}.0`,
      replicas: REPLICAS,
      ports: [8080],
      service: 'ClusterIP' as const,
      sidecars: [{ name: 'proxy', image: 'registry.example.com/platform/proxy:2.4.1' }],
      budget: { maxUnavailable: 3 },
    })),
  });
}
