/**
 * `deriveFacts`: a `ClusterInput` to the typed description that hazards and the planner read. Every
 * fact keeps where it was read; what was not read stays unknown, with the command that would tell.
 */
import type { ClusterInput, HelmValuesInput, ReadObject } from '../model/cluster-input.ts';
import type { Located } from '../model/config-tree.ts';
import { known, unknown } from '../model/fact.ts';
import type { Fact } from '../model/fact.ts';
import type { ClusterFacts, NodeFacts, TargetFacts, WorkloadFacts } from '../model/facts.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { clusterFacts } from './facts/cluster-facts.ts';
import { flannelFacts, sourceCni } from './facts/cni-facts.ts';
import { kubeProxyFacts } from './facts/kube-proxy-facts.ts';
import { machineConfigFacts } from './facts/machine-config-facts.ts';
import { agreed, nodeFacts } from './facts/node-facts.ts';
import { indexObjects, POLICY_KINDS } from './facts/object-index.ts';
import type { ObjectIndex } from './facts/object-index.ts';

export interface FactOptions {
  /** Taken where no node tells its version: `--talos-version`. */
  readonly talosVersion?: string;
}

export function deriveFacts(input: ClusterInput, options: FactOptions = {}): ClusterFacts {
  const index = indexObjects(input.objects);
  const nodes = index.of('Node.').map(nodeFacts);
  const talosVersion = talosVersionOf(nodes, options);
  const machineConfigs = input.machineConfigs.map((config) =>
    machineConfigFacts(config, talosVersion),
  );
  const cluster = clusterFacts(index, nodes, machineConfigs, talosVersion);
  const evidence = {
    index,
    nodes,
    machineConfigs,
    cniConfs: input.cniConfs,
    distribution: cluster.distribution,
  };
  const cni = sourceCni(evidence);
  const live = input.helmValues.filter(({ role }) => role === 'live');
  const release = live.find(({ chartVersion }) => chartVersion.known) ?? live[0];
  const [firstNode] = nodes;
  return {
    cluster,
    sourceCni: cni,
    flannel: flannelFacts(evidence, cni),
    kubeProxy: kubeProxyFacts(evidence),
    targets: input.helmValues.filter(({ role }) => role === 'target').map(targetFacts),
    liveRelease: release === undefined ? undefined : targetFacts(release),
    machineConfigs,
    nodes:
      firstNode === undefined
        ? unknown('the nodes of the cluster', 'kubectl get nodes -o json')
        : known(nodes, firstNode.source),
    workloads: workloadFacts(index),
    cniConfs: input.cniConfs,
    listings: input.listings,
    otherObjects: index.rest,
    input,
  };
}

/** What the nodes run before what the user says: an option may be stale. */
function talosVersionOf(nodes: readonly NodeFacts[], { talosVersion }: FactOptions): Fact<string> {
  const read = agreed(
    nodes.map((node) => node.talosVersion),
    'the Talos version of the nodes',
    'talosctl version',
  );
  if (read.known || talosVersion === undefined || nodes.some((node) => node.talosVersion.known))
    return read;
  return known(talosVersion.replace(/^v/, ''), {
    object: { kind: 'Option', name: '--talos-version' },
  });
}

function targetFacts({ source, chartVersion, tree }: HelmValuesInput): TargetFacts {
  return { source, chartVersion, values: tree, at: (path) => tree.at(path) };
}

function workloadFacts(index: ObjectIndex): WorkloadFacts {
  return {
    pods: located(index.of('Pod.')),
    daemonSets: located(index.of('DaemonSet.apps')),
    deployments: located(index.of('Deployment.apps')),
    statefulSets: located(index.of('StatefulSet.apps')),
    services: located(index.of('Service.')),
    budgets: located(index.of('PodDisruptionBudget.policy')),
    policies: POLICY_KINDS.flatMap((kind) => located<KubeObject>(index.of(kind))),
    persistentVolumes: located(index.of('PersistentVolume.')),
    webhooks: [
      ...located<WorkloadFacts['webhooks'][number]['value']>(
        index.of('ValidatingWebhookConfiguration.admissionregistration.k8s.io'),
      ),
      ...located<WorkloadFacts['webhooks'][number]['value']>(
        index.of('MutatingWebhookConfiguration.admissionregistration.k8s.io'),
      ),
    ],
  };
}

/** The index has put the object under its kind, and intake has checked the shape of that kind. */
function located<T extends KubeObject>(objects: readonly ReadObject[]): readonly Located<T>[] {
  return objects.map(({ object, source }) => ({ value: object as T, source }));
}
