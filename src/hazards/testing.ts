/**
 * For tests only: cluster facts from small literals. What is not given is unknown, as it would be
 * had it not been read. Documents given as YAML text keep their positions.
 */
import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Node, Pair } from 'yaml';
import type { Source } from '../base/source.ts';
import { EMPTY_INPUT } from '../model/cluster-input.ts';
import type { CniConfInput, DirectoryListing, ReadObject } from '../model/cluster-input.ts';
import { pathParts, plainTree, showPath } from '../model/config-tree.ts';
import type { ConfigTree, Located, TreePath } from '../model/config-tree.ts';
import { known, unknown } from '../model/fact.ts';
import type { Fact } from '../model/fact.ts';
import type {
  ClusterFacts,
  CniName,
  FlannelFacts,
  KubeProxyFacts,
  MachineConfigFacts,
  NodeFacts,
  TargetFacts,
} from '../model/facts.ts';
import type { KubeObject, NodeObject } from '../model/kubernetes.ts';
import type { Runbook, RunbookStep } from '../model/runbook.ts';

type Plain<T> = { readonly [K in keyof T]?: T[K] extends Fact<infer V> ? V : T[K] };

export interface FactsLiteral {
  readonly cluster?: Plain<ClusterFacts['cluster']>;
  readonly sourceCni?: CniName;
  readonly flannel?: Plain<FlannelFacts>;
  readonly kubeProxy?: Plain<KubeProxyFacts>;
  /** Texts of the target's values, as YAML; the file is `values.yaml` unless named. */
  readonly values?: string | readonly ValuesLiteral[];
  readonly chartVersion?: string;
  readonly liveValues?: string;
  /** Texts of machine configs and patches; facts are those given, the rest is unknown. */
  readonly machineConfigs?: readonly MachineConfigLiteral[];
  /** Sorted into nodes, workloads and others by kind, as intake does. */
  readonly objects?: readonly KubeObject[];
  /** Directory listings: file name to text. A text given becomes a conf that was read. */
  readonly confs?: readonly ConfLiteral[];
  readonly runbooks?: readonly Runbook[];
}

interface ValuesLiteral {
  readonly text: string;
  readonly file?: string;
  readonly chartVersion?: string;
}

interface MachineConfigLiteral {
  readonly text: string;
  readonly file?: string;
  readonly node?: string;
  readonly kind?: 'config' | 'patch';
  readonly facts?: Plain<MachineConfigFacts>;
}

interface ConfLiteral {
  readonly node?: string;
  readonly directory?: string;
  /** Base name to text; null for an entry that was listed and not read. */
  readonly files: Readonly<Record<string, string | null>>;
}

const LITERAL: Source = { file: 'literal' };

export function factsFrom(literal: FactsLiteral = {}): ClusterFacts {
  const objects = (literal.objects ?? []).map(readObject);
  const nodes = located(objects, ['Node']).map(({ value }) => nodeFacts(value as NodeObject));
  const confs = literal.confs ?? [];
  const texts = typeof literal.values === 'string' ? [{ text: literal.values }] : literal.values;
  const facts = {
    cluster: {
      ...factsOf(literal.cluster, [
        'uid',
        'name',
        'distribution',
        'kubernetesVersion',
        'talosVersion',
        'podCidrs',
        'serviceCidrs',
        'apiEndpoint',
      ]),
      hasLiveObjects: literal.cluster?.hasLiveObjects ?? nodes.length > 0,
    },
    sourceCni: factOf(literal.sourceCni, 'source CNI'),
    flannel: flannelFacts(literal.flannel),
    kubeProxy: kubeProxyFacts(literal.kubeProxy),
    targets: (texts ?? []).map((text) =>
      targetFacts({ chartVersion: literal.chartVersion, ...text }),
    ),
    liveRelease:
      literal.liveValues === undefined
        ? undefined
        : targetFacts({ text: literal.liveValues, file: 'live-values.yaml' }),
    machineConfigs: (literal.machineConfigs ?? []).map(machineConfigFacts),
    nodes: nodes.length > 0 ? known(nodes, LITERAL) : unknown('nodes', 'kubectl get nodes'),
    workloads: workloadsOf(objects),
    cniConfs: confs.flatMap(confInputs),
    listings: confs.map(listingOf),
    otherObjects: objects.filter(({ object }) => !LISTED_KINDS.has(object.kind)),
    input: {
      ...EMPTY_INPUT,
      objects,
      runbooks: (literal.runbooks ?? []).map((runbook) => ({
        runbook,
        source: { file: 'runbook.yaml' },
      })),
    },
  };
  return facts as unknown as ClusterFacts; // the literal's keys were listed above, one by one
}

function factOf<T>(value: T | undefined, missing: string): Fact<T> {
  return value === undefined ? unknown(missing) : known(value, LITERAL);
}

function factsOf(values: object | undefined, keys: readonly string[]): Record<string, unknown> {
  const given = (values ?? {}) as Record<string, unknown>;
  return Object.fromEntries(keys.map((key) => [key, factOf(given[key], key)]));
}

function flannelFacts(given: Plain<FlannelFacts> | undefined): Fact<unknown> {
  if (given === undefined) return unknown('Flannel');
  const keys = [
    'version',
    'backend',
    'port',
    'network',
    'enforcesPolicies',
    'nftables',
    'daemonSet',
  ];
  return known(factsOf(given, keys), LITERAL);
}

function kubeProxyFacts(given: Plain<KubeProxyFacts> | undefined): Fact<unknown> {
  if (given === undefined) return unknown('kube-proxy');
  return known({ present: given.present ?? true, ...factsOf(given, ['mode']) }, LITERAL);
}

interface TargetLiteral {
  readonly text: string;
  readonly file?: string;
  readonly chartVersion?: string | undefined;
}

function targetFacts({ text, file = 'values.yaml', chartVersion }: TargetLiteral): TargetFacts {
  const values = yamlTree(text, file);
  return {
    source: values.source,
    chartVersion: factOf(chartVersion, 'chart version'),
    values,
    at: (path) => values.at(path),
  };
}

function machineConfigFacts(literal: MachineConfigLiteral): MachineConfigFacts {
  const { text, file = 'machineconfig.yaml', node, kind = 'config' } = literal;
  const tree = yamlTree(text, file);
  const style = literal.facts?.style ?? 'v1alpha1';
  const keys = [
    'machineType',
    'cniName',
    'proxyDisabled',
    'podSubnets',
    'serviceSubnets',
    'hostDnsEnabled',
    'forwardKubeDnsToHost',
    'kubePrism',
    'nodeIpValidSubnets',
    'etcdAdvertisedSubnets',
    'installImage',
    'controlPlaneEndpoint',
    'clusterName',
    'kubespanEnabled',
  ];
  const input = {
    kind,
    style,
    node: factOf(node, 'node'),
    documents: text
      .split(/^---$/m)
      .map((part, index) => (index === 0 ? tree : yamlTree(part, file)))
      .map((document) => ({ kind: documentKind(document), tree: document })),
    source: tree.source,
  };
  const facts = { input, node: input.node, kind, style, ...factsOf(literal.facts, keys) };
  return facts as unknown as MachineConfigFacts; // the keys were listed above, one by one
}

function documentKind(tree: ConfigTree): string {
  const kind = tree.at('kind')?.value;
  return typeof kind === 'string' ? kind : 'v1alpha1';
}

const LISTS = {
  pods: ['Pod'],
  daemonSets: ['DaemonSet'],
  deployments: ['Deployment'],
  statefulSets: ['StatefulSet'],
  services: ['Service'],
  budgets: ['PodDisruptionBudget'],
  policies: [
    'NetworkPolicy',
    'CiliumNetworkPolicy',
    'CiliumClusterwideNetworkPolicy',
    'GlobalNetworkPolicy',
    'AdminNetworkPolicy',
    'BaselineAdminNetworkPolicy',
  ],
  persistentVolumes: ['PersistentVolume'],
  webhooks: ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
};
const LISTED_KINDS = new Set(['Node', ...Object.values(LISTS).flat()]);

function workloadsOf(objects: readonly ReadObject[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(LISTS).map(([list, kinds]) => [list, located(objects, kinds)]),
  );
}

function located(
  objects: readonly ReadObject[],
  kinds: readonly string[],
): readonly Located<KubeObject>[] {
  return objects
    .filter(({ object }) => kinds.includes(object.kind))
    .map(({ object, source }) => ({ value: object, source }));
}

function readObject(object: KubeObject): ReadObject {
  const { kind, metadata } = object;
  const { namespace, name } = metadata;
  const source = { object: { kind, name, ...(namespace === undefined ? {} : { namespace }) } };
  return { object, source, tree: plainTree(object, source) };
}

function nodeFacts(node: NodeObject): NodeFacts {
  const { metadata, spec, status } = node;
  const source = { object: { kind: 'Node', name: metadata.name } };
  const info = status.nodeInfo ?? {};
  const runtime = /^(containerd|cri-o):\/\/(.+)$/.exec(info.containerRuntimeVersion ?? '');
  const labels = metadata.labels ?? {};
  const role = 'node-role.kubernetes.io/control-plane' in labels ? 'control-plane' : 'worker';
  const facts = {
    name: metadata.name,
    source,
    role: factOf(role, 'role'),
    internalIps: (status.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP')
      .map(({ address }) => address),
    podCidrs: spec.podCIDRs ?? (spec.podCIDR === undefined ? [] : [spec.podCIDR]),
    runtime: factOf(
      runtime === null ? undefined : { name: runtime[1], version: runtime[2] },
      'runtime',
    ),
    kubeletVersion: factOf(info.kubeletVersion?.replace(/^v/, ''), 'kubelet version'),
    kernelVersion: factOf(info.kernelVersion, 'kernel version'),
    osImage: factOf(info.osImage, 'OS image'),
    talosVersion: factOf(/^Talos \(v?([^)]+)\)$/.exec(info.osImage ?? '')?.[1], 'Talos version'),
    unschedulable: spec.unschedulable === true,
    object: node,
  };
  return facts as NodeFacts; // the runtime's name was matched above
}

function confInputs({ node, directory = '/etc/cni/net.d', files }: ConfLiteral): CniConfInput[] {
  return Object.entries(files).flatMap(([name, text]) =>
    text === null
      ? []
      : [
          {
            name,
            directory: known(directory, LITERAL),
            node: factOf(node, 'node'),
            text,
            source: { file: name, line: 1, column: 1, ...(node === undefined ? {} : { node }) },
          },
        ],
  );
}

function listingOf({ node, directory = '/etc/cni/net.d', files }: ConfLiteral): DirectoryListing {
  return {
    directory,
    node: factOf(node, 'node'),
    entries: Object.keys(files).map((name) => ({ name, type: 'file' as const })),
    source: { file: 'listing.txt', line: 1, column: 1, ...(node === undefined ? {} : { node }) },
  };
}

/** A runbook of these steps. */
export function runbook(...steps: readonly RunbookStep[]): Runbook {
  return { apiVersion: 'regauge.dev/v1', kind: 'Runbook', steps };
}

/** A config tree over YAML text. */
function yamlTree(text: string, file: string): ConfigTree {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const placed = (path: TreePath, node: unknown): Source => {
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, ...(path === '' ? {} : { path: showPath(path) }) };
  };
  const tree: ConfigTree = {
    source: { file, line: 1, column: 1 },
    value: document.toJS() as unknown,
    at: (path) => {
      const node = descend(document.contents, pathParts(path));
      if (node === undefined) return undefined;
      const value: unknown = isNode(node) ? node.toJS(document) : node;
      return { value, source: placed(path, node) };
    },
    keyOf: (path) => {
      const parts = pathParts(path);
      const parent = descend(document.contents, parts.slice(0, -1));
      const pair = isMap(parent) ? pairOf(parent.items, parts[parts.length - 1]) : undefined;
      return pair === undefined ? tree.at(path)?.source : placed(path, pair.key);
    },
    nearest: (path) => {
      const parts = pathParts(path);
      for (let length = parts.length; length > 0; length -= 1) {
        const found = tree.keyOf(parts.slice(0, length));
        if (found !== undefined) return found;
      }
      return tree.source;
    },
  };
  return tree;
}

function descend(node: Node | null, parts: readonly (string | number)[]): unknown {
  return parts.reduce<unknown>((at, part) => {
    if (isSeq(at)) return at.items[Number(part)];
    return isMap(at) ? pairOf(at.items, part)?.value : undefined;
  }, node ?? undefined);
}

function pairOf(items: readonly unknown[], key: string | number | undefined): Pair | undefined {
  return items.find(
    (item): item is Pair =>
      isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
  );
}
