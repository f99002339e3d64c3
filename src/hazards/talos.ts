/**
 * Talos as hazards ask about it: whether the nodes run it, which versions it can be, and what a
 * config or patch says in so many words, whichever form it is written in.
 */
import { evidenceAt } from '../model/finding.ts';
import type { Evidence } from '../model/finding.ts';
import type { Located } from '../model/config-tree.ts';
import type { ClusterFacts, MachineConfigFacts } from '../model/facts.ts';
import { MISSING } from './finding.ts';

/** Minors whose key tables are known, for when no version was read. */
const TALOS_MINORS = ['1.7.7', '1.8.4', '1.9.6', '1.10.9', '1.11.6', '1.12.11', '1.13.9', '1.14.0'];

/** Undefined when neither nodes nor machine configs were read. */
export function isTalos(facts: ClusterFacts): boolean | undefined {
  const { distribution } = facts.cluster;
  if (distribution.known) return distribution.value === 'talos';
  return facts.machineConfigs.length > 0 ? true : undefined;
}

/** The version, else that of each node, else one of every minor. */
export function talosVersions(facts: ClusterFacts): {
  readonly versions: readonly string[];
  readonly known: boolean;
} {
  const { talosVersion } = facts.cluster;
  if (talosVersion.known) return { versions: [talosVersion.value], known: true };
  const nodes = facts.nodes.known ? facts.nodes.value : [];
  const read = nodes.flatMap((node) => (node.talosVersion.known ? [node.talosVersion.value] : []));
  if (read.length > 0) return { versions: [...new Set(read)], known: true };
  return { versions: TALOS_MINORS, known: false };
}

export const MISSING_TALOS_VERSION = 'the version of Talos (--talos-version 1.x.y)';

/** What is missing when it is not known whether, or which, Talos this is. */
export function missingTalos(facts: ClusterFacts): readonly string[] {
  return isTalos(facts) === undefined ? [MISSING.distribution] : [];
}

const SETTINGS = {
  cniName: [{ kind: 'v1alpha1', path: 'cluster.network.cni.name' }],
  proxyDisabled: [{ kind: 'v1alpha1', path: 'cluster.proxy.disabled' }],
  proxyEnabled: [{ kind: 'KubeProxyConfig', path: 'enabled' }],
  podSubnets: [
    { kind: 'v1alpha1', path: 'cluster.network.podSubnets' },
    { kind: 'KubeNetworkConfig', path: 'podSubnets' },
  ],
  nodeIpValidSubnets: [
    { kind: 'v1alpha1', path: 'machine.kubelet.nodeIP.validSubnets' },
    { kind: 'KubeNodeConfig', path: 'nodeIP.validSubnets' },
  ],
  etcdAdvertisedSubnets: [{ kind: 'v1alpha1', path: 'cluster.etcd.advertisedSubnets' }],
  installImage: [
    { kind: 'v1alpha1', path: 'machine.install.image' },
    { kind: 'UnattendedInstallConfig', path: 'installer.image' },
  ],
  forwardKubeDnsToHost: [
    { kind: 'v1alpha1', path: 'machine.features.hostDNS.forwardKubeDNSToHost' },
    { kind: 'ResolverConfig', path: 'hostDNS.forwardKubeDNSToHost' },
  ],
  kubePrismEnabled: [{ kind: 'v1alpha1', path: 'machine.features.kubePrism.enabled' }],
  kubePrismPort: [
    { kind: 'v1alpha1', path: 'machine.features.kubePrism.port' },
    { kind: 'KubePrismConfig', path: 'port' },
  ],
  inlineManifests: [{ kind: 'v1alpha1', path: 'cluster.inlineManifests' }],
} as const;

export type Setting = keyof typeof SETTINGS;

/** The setting where the config or patch says it, with the position of the value. */
export function stated(config: MachineConfigFacts, setting: Setting): Located<unknown> | undefined {
  for (const { kind, path } of SETTINGS[setting]) {
    for (const document of config.input.documents) {
      const found = document.kind === kind ? document.tree.at(path) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The list the config states, or undefined where it states none. */
export function statedList(
  config: MachineConfigFacts,
  setting: Setting,
): Located<readonly string[]> | undefined {
  const found = stated(config, setting);
  if (found === undefined || !Array.isArray(found.value)) return undefined;
  return { value: found.value.map(String), source: found.source };
}

/** Where a config or patch takes the CNI away. */
export function cniNone(config: MachineConfigFacts): Evidence | undefined {
  const name = stated(config, 'cniName');
  if (name?.value === 'none') return evidenceAt(name.source, 'none');
  const removed = config.input.documents.find(
    ({ kind, tree }) => kind === 'KubeFlannelCNIConfig' && tree.at('$patch')?.value === 'delete',
  );
  return removed === undefined ? undefined : evidenceAt(removed.tree.source, '$patch: delete');
}

/** Where a config or patch takes kube-proxy away. */
export function proxyOff(config: MachineConfigFacts): Evidence | undefined {
  const disabled = stated(config, 'proxyDisabled');
  if (disabled?.value === true) return evidenceAt(disabled.source, true);
  const enabled = stated(config, 'proxyEnabled');
  return enabled?.value === false ? evidenceAt(enabled.source, false) : undefined;
}

/** Evidence of a setting that is there. */
export function statedEvidence(found: Located<unknown>): Evidence {
  return evidenceAt(found.source, found.value);
}
