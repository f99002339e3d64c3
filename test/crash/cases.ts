/** The clusters on which executors are killed: three nodes to be through with, seven as in the incident. */
import { planFor } from '../../src/cli/rehearsal-session.ts';
import { readInput } from '../../src/intake/read-input.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { NodeStrategy } from '../../src/model/plan.ts';
import { postMortemInput } from '../support/post-mortem-input.ts';
import { smallCluster, tinyCluster, TWO_WEBS } from '../support/small-cluster.ts';
import { k3s, read } from '../support/snapshots.ts';
import type { CrashCase } from './crash-runs.ts';

const API = {
  kind: 'Deployment',
  namespace: 'a',
  name: 'api',
  image: 'api:1',
  replicas: 1,
} as const;

const TARGET = `
kubeProxyReplacement: true
k8sServiceHost: localhost
k8sServicePort: 7445
`;

export function smallCase(strategy?: NodeStrategy): CrashCase {
  return caseOf(wanted(tinyCluster({ workloads: [TWO_WEBS, API] })), strategy);
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
  const cluster = smallCluster({
    nodes: { prefix: 't', controlPlanes: 3, workers: 97, firstAddress: '10.0.0.10' },
    workloads: [{ ...TWO_WEBS, replicas: 60 }, API],
  });
  return caseOf(wanted(cluster), undefined);
}

/** The cluster, with what is wanted of it. */
function wanted(cluster: ClusterInput): ClusterInput {
  const { helmValues } = readInput([{ path: 'target.yaml', text: TARGET }], {
    ciliumVersion: '1.18.3',
    roles: { 'target.yaml': 'target' },
  });
  return { ...cluster, helmValues };
}

function caseOf(input: CrashCase['input'], strategy: NodeStrategy | undefined): CrashCase {
  const { plan } = planFor(
    input,
    strategy === undefined ? {} : { strategy, acceptApiOutage: true },
  );
  const [pool = ''] = plan.to.podCidrs;
  return { input, plan, newPool: pool.split('.').slice(0, 2).join('.') };
}
