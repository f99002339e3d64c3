/** The clusters on which executors are killed: three nodes to be through with, seven as in the incident. */
import { planFor } from '../../src/cli/rehearsal-session.ts';
import { readInput } from '../../src/intake/read-input.ts';
import type { NodeStrategy } from '../../src/model/plan.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import { readClusterSpec } from '../../src/twin/scenario/read-spec.ts';
import { postMortemInput } from '../support/post-mortem-input.ts';
import { k3s, read } from '../support/snapshots.ts';
import type { CrashCase } from './crash-runs.ts';

const SMALL = `
kind: ClusterSpec
name: small
versions: { talos: 1.10.2, kubernetes: 1.33.0 }
network: { endpoint: 'https://10.0.0.9:6443' }
machine: {}
nodes: { prefix: t, controlPlanes: 1, workers: 2, firstAddress: 10.0.0.10 }
workloads:
  - { kind: Deployment, namespace: a, name: web, image: 'web:1', replicas: 2 }
  - { kind: Deployment, namespace: a, name: api, image: 'api:1', replicas: 1 }
`;

const TARGET = `
kubeProxyReplacement: true
k8sServiceHost: localhost
k8sServicePort: 7445
`;

export function smallCase(strategy?: NodeStrategy): CrashCase {
  const told = readInput([{ path: 'target.yaml', text: TARGET }], {
    ciliumVersion: '1.18.3',
    roles: { 'target.yaml': 'target' },
  });
  const input = {
    ...expandCluster(readClusterSpec(SMALL, 'small.yaml')),
    helmValues: told.helmValues,
  };
  return caseOf(input, strategy);
}

export function incidentCase(strategy?: NodeStrategy): CrashCase {
  return caseOf(postMortemInput(), strategy);
}

/** Where a service of the system is told and restarted, servers with a part of etcd among them. */
export function k3sCase(): CrashCase {
  const target =
    'kubeProxyReplacement: true\nipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}\n';
  return caseOf(read(k3s(), target), undefined);
}

/** Waves of many nodes, and parallel branches all the way. */
export function hundredNodesCase(): CrashCase {
  const spec = SMALL.replace(
    'controlPlanes: 1, workers: 2',
    'controlPlanes: 3, workers: 97',
  ).replace('replicas: 2', 'replicas: 60');
  const told = readInput([{ path: 'target.yaml', text: TARGET }], {
    ciliumVersion: '1.18.3',
    roles: { 'target.yaml': 'target' },
  });
  return caseOf(
    { ...expandCluster(readClusterSpec(spec, 'hundred.yaml')), helmValues: told.helmValues },
    undefined,
  );
}

function caseOf(input: CrashCase['input'], strategy: NodeStrategy | undefined): CrashCase {
  const { plan } = planFor(
    input,
    strategy === undefined ? {} : { strategy, acceptApiOutage: true },
  );
  const [pool = ''] = plan.to.podCidrs;
  return { input, plan, newPool: pool.split('.').slice(0, 2).join('.') };
}
