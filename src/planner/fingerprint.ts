/** The facts a plan depends on, each by its hash: a plan is for one state of one cluster. */
import { contentHash } from '../base/canonical-json.ts';
import type { MachineConfigFacts } from '../model/facts.ts';
import type { Fact } from '../model/fact.ts';
import type { Situation } from './situation.ts';

export function fingerprintOf(situation: Situation): Readonly<Record<string, string>> {
  const { nodes, facts } = situation;
  const depended: Readonly<Record<string, unknown>> = {
    nodes: nodes.map((node) => [node.name, plain(node.role), node.internalIps, node.podCidrs]),
    runtimes: nodes.map((node) => [node.name, plain(node.runtime)]),
    'os-versions': nodes.map((node) => [node.name, plain(node.osImage), plain(node.talosVersion)]),
    'kubernetes-version': situation.kubernetesVersion,
    'pod-cidrs': situation.podCidrs,
    'service-cidrs': situation.serviceCidrs,
    flannel: [situation.flannelDaemonSet, situation.oldPort],
    'kube-proxy': situation.kubeProxyPresent,
    'machine-configs': situation.configs.map(configParts),
    budgets: facts.workloads.budgets.map(({ value }) => [
      value.metadata.namespace,
      value.metadata.name,
      value.spec,
    ]),
    'target-values': situation.target?.values.value ?? null,
  };
  return Object.fromEntries(
    Object.entries(depended).map(([name, value]) => [name, contentHash(value)]),
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
