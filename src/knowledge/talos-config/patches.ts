/**
 * Patches in the form the live config has: the main document's keys, or documents of their own from
 * 1.14. The two cannot be mixed for one domain (knowledge/talos-and-cni-selection.md 4.7), so each
 * patch looks at what is there.
 */
import { stringify } from 'yaml';
import { atLeast } from '../../base/versions.ts';
import { MAIN_DOCUMENT } from './keys.ts';
import { listAt, pathValue, type ConfigDocument } from './read-config.ts';

/** Which form a domain of the config is written in. */
type ConfigStyle = 'v1alpha1' | 'documents';

/** The form of one domain: the main document's wherever it says anything, and always before 1.14. */
function styleOf(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  legacyPath: string,
): ConfigStyle {
  if (!atLeast(talosVersion, '1.14.0-0')) return 'v1alpha1';
  const main = documents.find(({ kind }) => kind === MAIN_DOCUMENT)?.value;
  return pathValue(main, legacyPath) === undefined ? 'documents' : 'v1alpha1';
}

/**
 * Talos stops creating Flannel; nothing is deleted. Undefined when nothing has to change: on 1.14 a
 * config without the Flannel document has no CNI already.
 */
export function cniNonePatch(
  documents: readonly ConfigDocument[],
  talosVersion: string,
): string | undefined {
  if (styleOf(documents, talosVersion, 'cluster.network') === 'v1alpha1') {
    return stringify({ cluster: { network: { cni: { name: 'none' } } } });
  }
  if (!documents.some(({ kind }) => kind === 'KubeFlannelCNIConfig')) return undefined;
  return document('KubeFlannelCNIConfig', { $patch: 'delete' });
}

export function kubeProxyPatch(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  enabled: boolean,
): string {
  return styleOf(documents, talosVersion, 'cluster.proxy') === 'v1alpha1'
    ? stringify({ cluster: { proxy: { disabled: !enabled } } })
    : document('KubeProxyConfig', { enabled });
}

/** Whether CoreDNS asks the node's resolver (169.254.116.108) for names outside the cluster. */
export function forwardKubeDnsPatch(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  forward: boolean,
): string {
  return styleOf(documents, talosVersion, 'machine.features.hostDNS') === 'v1alpha1'
    ? stringify({ machine: { features: { hostDNS: { forwardKubeDNSToHost: forward } } } })
    : document('ResolverConfig', { hostDNS: { forwardKubeDNSToHost: forward } });
}

/**
 * Pins the node IP to the LAN. A strategic merge appends to lists, so subnets that are there already
 * are left out; undefined when all are.
 */
export function nodeIpPatch(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  subnets: readonly string[],
): string | undefined {
  const style = styleOf(documents, talosVersion, 'machine.kubelet');
  const kind = style === 'v1alpha1' ? MAIN_DOCUMENT : 'KubeNodeConfig';
  const path = style === 'v1alpha1' ? 'machine.kubelet.nodeIP.validSubnets' : 'nodeIP.validSubnets';
  const missing = missingFrom(documents, kind, path, subnets);
  if (missing.length === 0) return undefined;
  const nodeIP = { validSubnets: missing };
  return style === 'v1alpha1'
    ? stringify({ machine: { kubelet: { nodeIP } } })
    : document('KubeNodeConfig', { nodeIP });
}

/** Pins the address etcd tells its peers; control planes only, before a reboot can change it. */
export function etcdSubnetsPatch(
  documents: readonly ConfigDocument[],
  subnets: readonly string[],
): string | undefined {
  const missing = missingFrom(documents, MAIN_DOCUMENT, 'cluster.etcd.advertisedSubnets', subnets);
  if (missing.length === 0) return undefined;
  return stringify({ cluster: { etcd: { advertisedSubnets: missing } } });
}

function missingFrom(
  documents: readonly ConfigDocument[],
  kind: string,
  path: string,
  wanted: readonly string[],
): readonly string[] {
  const present = documents
    .filter((other) => other.kind === kind)
    .flatMap(({ value }) => listAt(value, path) ?? []);
  return wanted.filter((subnet) => !present.includes(subnet));
}

function document(kind: string, fields: Readonly<Record<string, unknown>>): string {
  return stringify({ apiVersion: 'v1alpha1', kind, ...fields });
}
