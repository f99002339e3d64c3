/**
 * The effective settings of a machine config, by Talos version: what is set, else what Talos does
 * when it is not. Sources: knowledge/talos-and-cni-selection.md 4.7;
 * talos:pkg/machinery/config/types/v1alpha1/v1alpha1_k8s_bridge.go@v1.14.0-rc.1.
 */
import { atLeast } from '../../base/versions.ts';
import { MAIN_DOCUMENT } from './keys.ts';
import {
  booleanAt,
  listAt,
  numberAt,
  pathValue,
  textAt,
  type ConfigDocument,
} from './read-config.ts';

export interface MachineSettings {
  readonly machineType: 'controlplane' | 'worker' | undefined;
  readonly clusterName: string | undefined;
  /** `https://10.0.1.200:6443`. */
  readonly endpoint: string | undefined;
  /** `flannel`, `custom` or `none`. */
  readonly cniName: string;
  readonly proxyDisabled: boolean;
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
  readonly dnsDomain: string;
  readonly hostDns: {
    readonly enabled: boolean;
    readonly forwardKubeDnsToHost: boolean;
    readonly resolveMemberNames: boolean;
  };
  readonly kubePrism: { readonly enabled: boolean; readonly port: number };
  /** Empty: every address that is no pod or service address may become the node IP. */
  readonly nodeIpValidSubnets: readonly string[];
  readonly etcdAdvertisedSubnets: readonly string[];
  readonly installImage: string | undefined;
  readonly kubespanEnabled: boolean;
  readonly inlineManifests: readonly { readonly name: string; readonly contents: string }[];
  /** Flannel's side-car that enforces NetworkPolicies (since 1.13). */
  readonly flannelEnforcesPolicies: boolean;
}

export const DEFAULT_POD_SUBNETS: readonly string[] = ['10.244.0.0/16'];
const DEFAULT_SERVICE_SUBNETS: readonly string[] = ['10.96.0.0/12'];
export const KUBE_PRISM_PORT = 7445;

/** Settings of one node's whole config (all its documents). */
export function machineSettings(
  documents: readonly ConfigDocument[],
  talosVersion: string,
): MachineSettings {
  const main = documentOf(documents, MAIN_DOCUMENT);
  const network = documentOf(documents, 'KubeNetworkConfig');
  const node = documentOf(documents, 'KubeNodeConfig');
  const cluster = documentOf(documents, 'KubeClusterConfig');
  const type = textAt(main, 'machine.type');
  return {
    machineType: type === 'controlplane' || type === 'worker' ? type : undefined,
    clusterName: textAt(main, 'cluster.clusterName') ?? textAt(cluster, 'clusterName'),
    endpoint: textAt(main, 'cluster.controlPlane.endpoint') ?? textAt(cluster, 'endpoint'),
    cniName: cniName(documents, talosVersion),
    proxyDisabled: proxyDisabled(documents),
    podSubnets:
      listAt(main, 'cluster.network.podSubnets') ??
      listAt(network, 'podSubnets') ??
      DEFAULT_POD_SUBNETS,
    serviceSubnets:
      listAt(main, 'cluster.network.serviceSubnets') ??
      listAt(network, 'serviceSubnets') ??
      DEFAULT_SERVICE_SUBNETS,
    dnsDomain:
      textAt(main, 'cluster.network.dnsDomain') ?? textAt(network, 'dnsDomain') ?? 'cluster.local',
    hostDns: hostDns(documents),
    kubePrism: kubePrism(documents),
    nodeIpValidSubnets:
      listAt(main, 'machine.kubelet.nodeIP.validSubnets') ??
      listAt(node, 'nodeIP.validSubnets') ??
      [],
    etcdAdvertisedSubnets:
      listAt(main, 'cluster.etcd.advertisedSubnets') ?? listAt(main, 'cluster.etcd.subnet') ?? [],
    installImage: textAt(main, 'machine.install.image'),
    kubespanEnabled:
      booleanAt(main, 'machine.network.kubespan.enabled') ??
      booleanAt(documentOf(documents, 'KubeSpanConfig'), 'enabled') ??
      false,
    inlineManifests: inlineManifests(documents),
    flannelEnforcesPolicies:
      booleanAt(main, 'cluster.network.cni.flannel.kubeNetworkPoliciesEnabled') ??
      booleanAt(documentOf(documents, 'KubeFlannelCNIConfig'), 'kubeNetworkPoliciesEnabled') ??
      false,
  };
}

function documentOf(documents: readonly ConfigDocument[], kind: string): unknown {
  return documents.find((document) => document.kind === kind)?.value;
}

/**
 * Up to 1.13 nothing said means Flannel. From 1.14 the settings live in documents: no
 * `cluster.network` and no KubeFlannelCNIConfig means no CNI.
 */
function cniName(documents: readonly ConfigDocument[], talosVersion: string): string {
  const main = documentOf(documents, MAIN_DOCUMENT);
  const named = textAt(main, 'cluster.network.cni.name');
  if (named !== undefined) return named;
  const legacy = pathValue(main, 'cluster.network') !== undefined;
  if (legacy || !atLeast(talosVersion, '1.14.0-0')) return 'flannel';
  return documentOf(documents, 'KubeFlannelCNIConfig') === undefined ? 'none' : 'flannel';
}

function proxyDisabled(documents: readonly ConfigDocument[]): boolean {
  const legacy = booleanAt(documentOf(documents, MAIN_DOCUMENT), 'cluster.proxy.disabled');
  if (legacy !== undefined) return legacy;
  return booleanAt(documentOf(documents, 'KubeProxyConfig'), 'enabled') === false;
}

/** Absent means off: only generated configs switch it on, the forwarding since contract 1.8. */
function hostDns(documents: readonly ConfigDocument[]): MachineSettings['hostDns'] {
  const legacy = pathValue(documentOf(documents, MAIN_DOCUMENT), 'machine.features.hostDNS');
  const settings = legacy ?? pathValue(documentOf(documents, 'ResolverConfig'), 'hostDNS');
  return {
    enabled: booleanAt(settings, 'enabled') ?? false,
    forwardKubeDnsToHost: booleanAt(settings, 'forwardKubeDNSToHost') ?? false,
    resolveMemberNames: booleanAt(settings, 'resolveMemberNames') ?? false,
  };
}

function kubePrism(documents: readonly ConfigDocument[]): MachineSettings['kubePrism'] {
  const document = documentOf(documents, 'KubePrismConfig');
  if (document !== undefined) {
    return { enabled: true, port: numberAt(document, 'port') ?? KUBE_PRISM_PORT };
  }
  const main = documentOf(documents, MAIN_DOCUMENT);
  return {
    enabled: booleanAt(main, 'machine.features.kubePrism.enabled') ?? false,
    port: numberAt(main, 'machine.features.kubePrism.port') ?? KUBE_PRISM_PORT,
  };
}

function inlineManifests(documents: readonly ConfigDocument[]): MachineSettings['inlineManifests'] {
  const listed = pathValue(documentOf(documents, MAIN_DOCUMENT), 'cluster.inlineManifests');
  const legacy = (Array.isArray(listed) ? listed : []).map((entry: unknown) => ({
    name: textAt(entry, 'name') ?? '',
    contents: textAt(entry, 'contents') ?? '',
  }));
  const named = documents
    .filter(({ kind }) => kind === 'KubeInlineManifestConfig')
    .map(({ value }) => ({
      name: textAt(value, 'name') ?? '',
      contents: textAt(value, 'manifest') ?? '',
    }));
  return [...legacy, ...named];
}
