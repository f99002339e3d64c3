/**
 * The migration as Cilium documents it, for the post-mortem's cluster and typed by a person who never
 * hesitates: per node cordon, drain, label, restart the agent, reboot, verify, uncordon, one node after
 * the other; then the final values, and a second round of reboots, which the guide leaves to the reader:
 * without it the old network's links and rules stay in the kernels. Nothing waits but its commands.
 * Source: cilium:Documentation/installation/k8s-install-migration.rst@v1.16.5, and for the hand-over of
 * kube-proxy cilium:Documentation/network/kubernetes/kubeproxy-free.rst@v1.16.5.
 */
import type { KubectlCommand, Runbook, RunbookStep } from '../src/model/runbook.ts';

type Values = Readonly<Record<string, unknown>>;

export interface DocumentedCluster {
  /** Workers first: the guide advises against beginning with a control plane. */
  readonly nodes: readonly string[];
  readonly version: string;
  /** Beside the old CNI, in charge of it, and with kube-proxy replaced. */
  readonly secondary: Values;
  readonly inCharge: Values;
  readonly replacing: Values;
  /** The CiliumNodeConfig `cilium-default`. */
  readonly nodeConfig: Values;
  /** A second round of reboots takes away what the old network left. */
  readonly rebootsAgain: boolean;
}

const NAMESPACE = 'kube-system';
const LABEL = 'io.cilium.migration/cilium-default';
const READY_SECONDS = 600;

export function documentedProcedure(cluster: DocumentedCluster): Runbook {
  const { nodes, secondary, nodeConfig, inCharge, replacing, rebootsAgain } = cluster;
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'Runbook',
    name: 'as-documented',
    steps: [
      upgrade(cluster, secondary, 'install'),
      ...agentsRolledOut(),
      step({ action: 'apply', objects: [nodeConfig] }),
      ...nodes.flatMap(moved),
      upgrade(cluster, inCharge, 'upgrade'),
      ...agentsRestarted(),
      step({
        action: 'delete',
        kind: 'CiliumNodeConfig',
        namespace: NAMESPACE,
        name: 'cilium-default',
      }),
      {
        talos: {
          action: 'patch',
          nodes: ['all'],
          patch: 'cluster: {network: {cni: {name: none}}}',
        },
      },
      deleted('kube-flannel'),
      upgrade(cluster, replacing, 'upgrade'),
      ...agentsRestarted(),
      { talos: { action: 'patch', nodes: ['all'], patch: 'cluster: {proxy: {disabled: true}}' } },
      deleted('kube-proxy'),
      ...(rebootsAgain ? nodes.flatMap(rebooted) : []),
    ],
  };
}

function moved(node: string): readonly RunbookStep[] {
  return [
    ...drained(node),
    step({ action: 'label', kind: 'Node', name: node, labels: { [LABEL]: 'true' } }),
    step({
      action: 'delete',
      kind: 'Pod',
      namespace: NAMESPACE,
      selector: 'k8s-app=cilium',
      onNode: node,
    }),
    ...agentsRolledOut(),
    ...booted(node),
    ...verified(node),
    step({ action: 'uncordon', node }),
  ];
}

function rebooted(node: string): readonly RunbookStep[] {
  return [...drained(node), ...booted(node), step({ action: 'uncordon', node })];
}

function drained(node: string): readonly RunbookStep[] {
  return [
    step({ action: 'cordon', node }),
    step({ action: 'drain', node, ignoreDaemonsets: true, deleteEmptydirData: true }),
  ];
}

function booted(node: string): readonly RunbookStep[] {
  return [
    { talos: { action: 'reboot', nodes: [node], wait: true } },
    step(until({ condition: 'Ready', status: 'True' }, 'Node', node)),
    // `cilium status --wait`
    ...agentsRolledOut(),
  ];
}

/** `kubectl run verify-network`: a pod on the node, which asks the API server and is removed. */
function verified(node: string): readonly RunbookStep[] {
  const name = `verify-network-${node}`;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'verify', image: 'ghcr.io/nicolaka/netshoot:v0.8' }],
    },
  };
  return [
    step({ action: 'apply', objects: [pod] }),
    step(until({ condition: 'Ready', status: 'True' }, 'Pod', name, NAMESPACE)),
    step({ action: 'delete', kind: 'Pod', namespace: NAMESPACE, name }),
  ];
}

function until(
  condition: { readonly condition: string; readonly status: string },
  kind: string,
  name: string,
  namespace?: string,
): KubectlCommand {
  const place = namespace === undefined ? {} : { namespace };
  return {
    action: 'wait',
    until: condition,
    kind,
    name,
    ...place,
    timeoutSeconds: READY_SECONDS,
  };
}

function step(kubectl: KubectlCommand): RunbookStep {
  return { kubectl };
}

function deleted(name: string): RunbookStep {
  return step({ action: 'delete', kind: 'DaemonSet', namespace: NAMESPACE, name });
}

function upgrade(
  { version }: DocumentedCluster,
  values: Values,
  action: 'install' | 'upgrade',
): RunbookStep {
  return {
    helm: { action, release: 'cilium', namespace: NAMESPACE, chart: 'cilium', version, values },
  };
}

function agentsRolledOut(): readonly RunbookStep[] {
  return [
    step({ action: 'rollout-status', kind: 'DaemonSet', namespace: NAMESPACE, name: 'cilium' }),
  ];
}

function agentsRestarted(): readonly RunbookStep[] {
  return [
    step({ action: 'rollout-restart', kind: 'DaemonSet', namespace: NAMESPACE, name: 'cilium' }),
    ...agentsRolledOut(),
  ];
}
