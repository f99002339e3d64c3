/** The facts a plan depends on, each by its hash: a plan is for one state of one cluster. */
import { contentHash } from '../base/canonical-json.ts';
import type { MachineConfigFacts, NodeFacts } from '../model/facts.ts';
import type { Fact } from '../model/fact.ts';
import type { Situation } from './situation.ts';

export function fingerprintOf(situation: Situation): Readonly<Record<string, string>> {
  const { nodes, facts } = situation;
  const depended: Readonly<Record<string, unknown>> = {
    ...ofNodes(nodes),
    'kubernetes-version': situation.kubernetesVersion,
    'pod-cidrs': situation.podCidrs,
    'service-cidrs': situation.serviceCidrs,
    flannel: [situation.flannelDaemonSet, situation.oldPort],
    'kube-proxy': situation.kubeProxyPresent,
    // In the order of their nodes: which file was read first says nothing.
    'machine-configs': situation.configs
      .map((config) => ({ key: plain(config.node) ?? '', parts: configParts(config) }))
      .toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
      .map(({ parts }) => parts),
    budgets: facts.workloads.budgets.map(({ value }) => [
      value.metadata.namespace,
      value.metadata.name,
      value.spec,
    ]),
    'target-values': situation.target?.values.value ?? null,
  };
  return hashed(depended);
}

/** Those of the facts that no step of a plan changes, by the same names and hashes. */
export function steadyFingerprint(
  nodes: readonly NodeFacts[],
  kubernetesVersion: string | undefined,
): Readonly<Record<string, string>> {
  const sorted = nodes.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return hashed({
    ...ofNodes(sorted),
    ...(kubernetesVersion === undefined ? {} : { 'kubernetes-version': kubernetesVersion }),
  });
}

function ofNodes(nodes: readonly NodeFacts[]): Readonly<Record<string, unknown>> {
  return {
    nodes: nodes.map((node) => [node.name, plain(node.role), node.internalIps, node.podCidrs]),
    runtimes: nodes.map((node) => [node.name, plain(node.runtime)]),
    'os-versions': nodes.map((node) => [node.name, plain(node.osImage), plain(node.talosVersion)]),
  };
}

function hashed(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, contentHash(value)]),
  );
}

function plain<T>(fact: Fact<T>): T | null {
  return fact.known ? fact.value : null;
}

/** Only what a step depends on; never a whole config, which holds secrets. */
function configParts(config: MachineConfigFacts): unknown {
  return [
    plain(config.node),
    config.style,
    plain(config.cniName),
    plain(config.proxyDisabled),
    plain(config.podSubnets),
    plain(config.serviceSubnets),
    plain(config.forwardKubeDnsToHost),
    plain(config.kubePrism),
    plain(config.nodeIpValidSubnets),
  ];
}
