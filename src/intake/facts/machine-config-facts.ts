/**
 * Machine configs to facts. A patch tells only what it sets. A whole config also tells what it
 * leaves to Talos, where the default is the same in every version that could be meant.
 */
import type { Source } from '../../base/source.ts';
import { machineSettings } from '../../knowledge/talos-config/settings.ts';
import type { MachineSettings } from '../../knowledge/talos-config/settings.ts';
import type { MachineConfigInput } from '../../model/cluster-input.ts';
import { known, unknown } from '../../model/fact.ts';
import type { Fact } from '../../model/fact.ts';
import type { MachineConfigFacts } from '../../model/facts.ts';

/** Minors whose defaults differ (talos-and-cni-selection 4.7): one on each side of the change. */
const EITHER_SIDE = ['1.13.0', '1.14.0'] as const;

type Place = readonly [kind: string, path: string];

export function machineConfigFacts(
  input: MachineConfigInput,
  talosVersion: Fact<string>,
): MachineConfigFacts {
  const versions = talosVersion.known ? [talosVersion.value] : EITHER_SIDE;
  const documents = input.documents.map(({ kind, name, tree }) => ({
    kind,
    value: tree.value,
    ...(name === undefined ? {} : { name }),
  }));
  const settings = versions.map((version) => machineSettings(documents, version));
  const tell = <T>(
    what: string,
    places: readonly Place[],
    read: (of: MachineSettings) => T | undefined,
  ): Fact<T> => setting(input, settings.map(read), what, places);
  return {
    input,
    node: input.node,
    kind: input.kind,
    style: input.style,
    machineType: tell('machine.type', [['v1alpha1', 'machine.type']], (of) => of.machineType),
    cniName: tell(
      'the CNI',
      [
        ['v1alpha1', 'cluster.network.cni.name'],
        ['KubeFlannelCNIConfig', 'kind'],
      ],
      (of) => of.cniName,
    ),
    proxyDisabled: tell(
      'kube-proxy',
      [
        ['v1alpha1', 'cluster.proxy.disabled'],
        ['KubeProxyConfig', 'enabled'],
      ],
      (of) => of.proxyDisabled,
    ),
    podSubnets: tell('the pod subnets', network('podSubnets'), (of) => of.podSubnets),
    serviceSubnets: tell(
      'the service subnets',
      network('serviceSubnets'),
      (of) => of.serviceSubnets,
    ),
    hostDnsEnabled: tell('host DNS', hostDns('enabled'), (of) => of.hostDns.enabled),
    forwardKubeDnsToHost: tell(
      'forwardKubeDNSToHost',
      hostDns('forwardKubeDNSToHost'),
      (of) => of.hostDns.forwardKubeDnsToHost,
    ),
    kubePrism: tell(
      'KubePrism',
      [
        ['v1alpha1', 'machine.features.kubePrism'],
        ['KubePrismConfig', 'kind'],
      ],
      (of) => of.kubePrism,
    ),
    nodeIpValidSubnets: tell(
      'nodeIP.validSubnets',
      [
        ['v1alpha1', 'machine.kubelet.nodeIP.validSubnets'],
        ['KubeNodeConfig', 'nodeIP.validSubnets'],
      ],
      (of) => of.nodeIpValidSubnets,
    ),
    etcdAdvertisedSubnets: tell(
      'etcd.advertisedSubnets',
      [
        ['v1alpha1', 'cluster.etcd.advertisedSubnets'],
        ['v1alpha1', 'cluster.etcd.subnet'],
      ],
      (of) => of.etcdAdvertisedSubnets,
    ),
    installImage: tell(
      'the install image',
      [['v1alpha1', 'machine.install.image']],
      (of) => of.installImage,
    ),
    controlPlaneEndpoint: tell(
      'the control plane endpoint',
      [
        ['v1alpha1', 'cluster.controlPlane.endpoint'],
        ['KubeClusterConfig', 'endpoint'],
      ],
      (of) => of.endpoint,
    ),
    clusterName: tell(
      'the cluster name',
      [
        ['v1alpha1', 'cluster.clusterName'],
        ['KubeClusterConfig', 'clusterName'],
      ],
      (of) => of.clusterName,
    ),
    kubespanEnabled: tell(
      'KubeSpan',
      [
        ['v1alpha1', 'machine.network.kubespan.enabled'],
        ['KubeSpanConfig', 'enabled'],
      ],
      (of) => of.kubespanEnabled,
    ),
  };
}

function network(key: string): readonly Place[] {
  return [
    ['v1alpha1', `cluster.network.${key}`],
    ['KubeNetworkConfig', key],
  ];
}

function hostDns(key: string): readonly Place[] {
  return [
    ['v1alpha1', `machine.features.hostDNS.${key}`],
    ['ResolverConfig', `hostDNS.${key}`],
  ];
}

/** `values`: the effective setting under each version that could be meant. */
function setting<T>(
  input: MachineConfigInput,
  values: readonly (T | undefined)[],
  what: string,
  places: readonly Place[],
): Fact<T> {
  const [value] = values;
  const written = writtenAt(input, places);
  if (written !== undefined && value !== undefined) return known(value, written);
  const file = input.source.file ?? 'the machine config';
  if (input.kind === 'patch')
    return unknown(`${what}: the patch ${file} does not set it`, GET_CONFIG);
  if (value === undefined) return unknown(`${what}: not in ${file}`, GET_CONFIG);
  if (values.some((other) => JSON.stringify(other) !== JSON.stringify(value))) {
    return unknown(
      `${what}: its default depends on the Talos version`,
      'talosctl -n <node> version',
    );
  }
  return known(value, missingAt(input, places));
}

const GET_CONFIG = 'talosctl -n <node> get machineconfig -o yaml';

function writtenAt(input: MachineConfigInput, places: readonly Place[]): Source | undefined {
  for (const [kind, path] of places) {
    for (const document of input.documents) {
      const located = document.kind === kind ? document.tree.at(path) : undefined;
      if (located !== undefined && located.value !== null) return located.source;
    }
  }
  return undefined;
}

/** Where the setting would stand: the nearest part of its path that is there. */
function missingAt(input: MachineConfigInput, places: readonly Place[]): Source {
  const [kind, path] = places[0] ?? ['v1alpha1', ''];
  const document = input.documents.find((candidate) => candidate.kind === kind);
  return document?.tree.nearest(path) ?? input.source;
}
