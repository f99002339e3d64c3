/**
 * Talos machine configs: whole or as a patch, one document or several, plain or wrapped in the COSI
 * resource that `talosctl get machineconfig -o yaml` prints (spec an object before Talos 1.12, a
 * string from then on).
 */
import type { MachineConfigDocument, MachineConfigInput } from '../model/cluster-input.ts';
import { known, unknown } from '../model/fact.ts';
import type { Fact } from '../model/fact.ts';
import { HOST_DNS_CONFIG, KUBE_PRISM_STATUS } from '../knowledge/talos-resources.ts';
import { ignore, isTable, TALOS_STATUS, textOf } from './intake.ts';
import type { Intake, ReadMachineConfig } from './intake.ts';
import { patchTree } from './json-patch-tree.ts';
import { subTree } from './text/json-tree.ts';
import { splitDocuments } from './text/yaml-split.ts';
import { parseYaml } from './text/yaml-text.ts';
import type { TextTree, YamlText } from './text/yaml-tree.ts';

const MAIN_KEYS = new Set(['version', 'debug', 'persist', 'machine', 'cluster']);

/** Keys of `cluster` in v1alpha1 (v1alpha1_types.go, ClusterConfig); Cilium values have one too. */
const CLUSTER_KEYS = new Set(
  (
    'id secret controlPlane clusterName network token aescbcEncryptionSecret secretboxEncryptionSecret ' +
    'ca acceptedCAs aggregatorCA serviceAccount apiServer controllerManager proxy scheduler discovery ' +
    'etcd coreDNS externalCloudProvider extraManifests extraManifestHeaders inlineManifests ' +
    'adminKubeconfig allowSchedulingOnControlPlanes allowSchedulingOnMasters'
  ).split(' '),
);

/** The unnamed main document, whole or partial. */
export function isMainDocument(value: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(value);
  if (keys.length === 0 || !keys.every((key) => MAIN_KEYS.has(key))) return false;
  if (isTable(value['machine'])) return true;
  const cluster = value['cluster'];
  if (!isTable(cluster)) return value['version'] === 'v1alpha1';
  const names = Object.keys(cluster);
  // `cluster: {name, id}` is the Cilium chart's; one Talos key that is not `id` decides.
  return names.some((name) => CLUSTER_KEYS.has(name) && name !== 'id');
}

/** `apiVersion: v1alpha1` without a group is Talos's, for every document but the main one. */
export function isNamedDocument(value: Readonly<Record<string, unknown>>): boolean {
  return value['apiVersion'] === 'v1alpha1' && typeof value['kind'] === 'string';
}

/** `talosctl get … -o yaml`: `node`, `metadata` with a dotted type, `spec`. */
export function isTalosResource(value: Readonly<Record<string, unknown>>): boolean {
  const { metadata } = value;
  return (
    isTable(metadata) && typeof metadata['type'] === 'string' && 'id' in metadata && 'spec' in value
  );
}

export function takeMainDocument(intake: Intake, tree: TextTree, config: ReadMachineConfig): void {
  const value = isTable(tree.value) ? tree.value : {};
  config.documents.push({ kind: 'v1alpha1', tree });
  const machine = value['machine'];
  const whole =
    value['version'] === 'v1alpha1' &&
    isTable(machine) &&
    ('type' in machine || 'token' in machine);
  if (!whole) config.patch = true;
  addOnce(intake, config);
}

export function takeNamedDocument(intake: Intake, tree: TextTree, config: ReadMachineConfig): void {
  const value = isTable(tree.value) ? tree.value : {};
  const name = textOf(value['name']);
  const kind = textOf(value['kind']) ?? '';
  config.documents.push({ kind, tree, ...(name === undefined ? {} : { name }) });
  if ('$patch' in value) config.patch = true;
  addOnce(intake, config);
}

/** `[{op, path, value}]` on `/machine` or `/cluster`; false when the list is something else. */
export function takeJsonPatch(intake: Intake, tree: TextTree, config: ReadMachineConfig): boolean {
  const patched = patchTree(tree);
  if (patched === undefined) return false;
  config.documents.push({ kind: 'v1alpha1', tree: patched });
  config.patch = true;
  addOnce(intake, config);
  return true;
}

/** The resource's machine config; other resources, and the persistent copy of it, are left out. */
export function takeTalosResource(intake: Intake, tree: TextTree): void {
  const value = isTable(tree.value) ? tree.value : {};
  const metadata = isTable(value['metadata']) ? value['metadata'] : {};
  const type = String(metadata['type']);
  if (type === HOST_DNS_CONFIG.type || type === KUBE_PRISM_STATUS.type) {
    ignore(intake, tree.source, TALOS_STATUS);
  } else if (type !== 'MachineConfigs.config.talos.dev') {
    ignore(intake, tree.source, `Talos resource ${type}`);
  } else if (metadata['id'] !== 'v1alpha1') {
    ignore(
      intake,
      tree.source,
      `machine config "${String(metadata['id'])}": only the active one (v1alpha1) is read`,
    );
  } else {
    const config = newConfig(tree, textOf(value['node']));
    const text = tree.embedded('spec');
    if (text !== undefined) takeConfigText(intake, text, config);
    else takeMainDocument(intake, subTree(tree, ['spec']), config);
  }
}

/** A machine config as text inside another document. */
function takeConfigText(intake: Intake, yaml: YamlText, config: ReadMachineConfig): void {
  for (const { text, first } of splitDocuments(yaml.text)) {
    const start = yaml.text.indexOf(text);
    const tree = parseYaml({
      ...yaml,
      text,
      placeOf: (offset) => yaml.placeOf(offset + Math.max(start, 0)),
    });
    if (tree === undefined || !isTable(tree.value)) continue;
    if (isNamedDocument(tree.value)) takeNamedDocument(intake, tree, config);
    else if (isMainDocument(tree.value)) takeMainDocument(intake, tree, config);
    else ignore(intake, { ...tree.source, ...first }, 'not a machine config document');
  }
}

export function newConfig(tree: TextTree, node?: string): ReadMachineConfig {
  return { documents: [], node, source: tree.source, patch: false };
}

function addOnce(intake: Intake, config: ReadMachineConfig): void {
  if (intake.machineConfigs.at(-1) !== config) intake.machineConfigs.push(config);
}

/** Documents that took over parts of v1alpha1 (talos-and-cni-selection 4.7). */
const TOOK_OVER =
  /^(Kube|ResolverConfig$|SysctlConfig$|KernelModuleConfig$|EtcFileConfig$|CRICustomizationConfig$)/;

/** `nodeNames` maps addresses to node names, as far as Node objects were read. */
export function finishConfig(
  config: ReadMachineConfig,
  nodeNames: ReadonlyMap<string, string>,
): MachineConfigInput {
  const { documents, source } = config;
  return {
    kind: config.patch || documents.every(({ kind }) => kind !== 'v1alpha1') ? 'patch' : 'config',
    style: documents.some(({ kind }) => TOOK_OVER.test(kind)) ? 'documents' : 'v1alpha1',
    node: configNode(config, nodeNames),
    documents,
    source,
  };
}

function configNode(
  config: ReadMachineConfig,
  nodeNames: ReadonlyMap<string, string>,
): Fact<string> {
  const named = config.documents.map(hostname).find((located) => located !== undefined);
  if (config.node !== undefined) {
    const name = nodeNames.get(config.node);
    if (name !== undefined || named === undefined) return known(name ?? config.node, config.source);
  }
  if (named !== undefined) return known(nodeNames.get(named.value) ?? named.value, named.source);
  const file = config.source.file
    ?.split('/')
    .at(-1)
    ?.replace(/\.(ya?ml|json)$/i, '');
  const byFile = file === undefined ? undefined : nodeNames.get(file);
  return byFile === undefined
    ? unknown('which node the machine config is of', 'talosctl -n <node> get machineconfig -o yaml')
    : known(byFile, config.source);
}

function hostname({
  kind,
  tree,
}: MachineConfigDocument): { value: string; source: MachineConfigInput['source'] } | undefined {
  const located = tree.at(kind === 'HostnameConfig' ? 'hostname' : 'machine.network.hostname');
  return typeof located?.value === 'string'
    ? { value: located.value, source: located.source }
    : undefined;
}
