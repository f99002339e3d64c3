/**
 * Patches in the form the live config has: the main document's keys, or documents of their own from
 * 1.14. The two cannot be mixed for one domain (knowledge/talos-and-cni-selection.md 4.7), so each
 * patch looks at what is there.
 */
import { stringify } from 'yaml';
import { atLeast } from '../../base/versions.ts';
import { asWritten } from './document-text.ts';
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
    return textOf({ cluster: { network: { cni: { name: 'none' } } } });
  }
  if (!documents.some(({ kind }) => kind === 'KubeFlannelCNIConfig')) return undefined;
  return document('KubeFlannelCNIConfig', { $patch: 'delete' });
}

/** The way back from `cniNonePatch`: Flannel as the config has it now. */
export function cniFlannelPatch(documents: readonly ConfigDocument[]): string {
  const flannel = documents.find(({ kind }) => kind === 'KubeFlannelCNIConfig');
  return textOf(flannel?.value ?? { cluster: { network: { cni: { name: 'flannel' } } } });
}

export function kubeProxyPatch(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  enabled: boolean,
): string {
  return styleOf(documents, talosVersion, 'cluster.proxy') === 'v1alpha1'
    ? textOf({ cluster: { proxy: { disabled: !enabled } } })
    : document('KubeProxyConfig', { enabled });
}

/**
 * Pins the node IP to these subnets and, for control planes before a reboot can change it, the address
 * that etcd tells its peers. A strategic merge appends to lists, so subnets that are there already are
 * left out; undefined when all are.
 */
export function pinAddressesPatch(
  documents: readonly ConfigDocument[],
  talosVersion: string,
  subnets: readonly string[],
  options: { readonly etcd: boolean },
): string | undefined {
  const isMain = styleOf(documents, talosVersion, 'machine.kubelet') === 'v1alpha1';
  const validSubnets = isMain
    ? missingFrom(documents, MAIN_DOCUMENT, 'machine.kubelet.nodeIP.validSubnets', subnets)
    : missingFrom(documents, 'KubeNodeConfig', 'nodeIP.validSubnets', subnets);
  const advertisedSubnets = options.etcd
    ? missingFrom(documents, MAIN_DOCUMENT, 'cluster.etcd.advertisedSubnets', subnets)
    : [];
  const nodeIP = validSubnets.length === 0 ? undefined : { validSubnets };
  const main = {
    ...(nodeIP !== undefined && isMain ? { machine: { kubelet: { nodeIP } } } : {}),
    ...(advertisedSubnets.length === 0 ? {} : { cluster: { etcd: { advertisedSubnets } } }),
  };
  const texts = [
    ...(Object.keys(main).length === 0 ? [] : [textOf(main)]),
    ...(nodeIP !== undefined && !isMain ? [document('KubeNodeConfig', { nodeIP })] : []),
  ];
  return texts.length === 0 ? undefined : texts.join('---\n');
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
  return textOf({ apiVersion: 'v1alpha1', kind, ...fields });
}

/** A list that stands twice is written twice: people read patches. */
function textOf(value: unknown): string {
  return asWritten(stringify(value, { aliasDuplicateObjects: false }), [value]);
}
