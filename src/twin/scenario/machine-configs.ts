/**
 * Which machine config each node has: the one that names it, by node, hostname or address; else one
 * of its role, said to be assumed; else what Talos generates by default, said to be assumed.
 */
import { asWritten, showDocuments } from '../../knowledge/talos-config/document-text.ts';
import type { ClusterInput, MachineConfigInput } from '../../model/cluster-input.ts';
import { valueOr } from '../../model/fact.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { podRange, serviceRange } from './cluster-ranges.ts';

export interface ConfiguredNode {
  readonly name: string;
  readonly address: string;
  readonly controlPlane: boolean;
}

export interface MachineConfigs {
  /** YAML by node name. */
  readonly byNode: ReadonlyMap<string, string>;
  readonly assumptions: readonly Assumption[];
}

type Origin = 'read' | 'by-role' | 'default';

export function machineConfigsOf(
  input: ClusterInput,
  nodes: readonly ConfiguredNode[],
): MachineConfigs {
  const configs = input.machineConfigs.filter(({ kind }) => kind === 'config');
  const named = new Map<string, MachineConfigInput>();
  const byRole = new Map<boolean, MachineConfigInput>();
  for (const config of configs) {
    for (const name of namesOf(config)) named.set(name, config);
    const controlPlane = mainValue(config, 'machine', 'type') === 'controlplane';
    if (!byRole.has(controlPlane)) byRole.set(controlPlane, config);
  }
  const defaults = defaultsFor(input.objects.map(({ object }) => object));
  const byNode = new Map<string, string>();
  const origins = new Map<Origin, ConfiguredNode[]>();
  for (const node of nodes) {
    const own = named.get(node.name) ?? named.get(node.address);
    const found = own ?? byRole.get(node.controlPlane);
    const origin: Origin = own !== undefined ? 'read' : found !== undefined ? 'by-role' : 'default';
    byNode.set(node.name, found === undefined ? defaultConfig(node, defaults) : textOf(found));
    origins.set(origin, [...(origins.get(origin) ?? []), node]);
  }
  return {
    byNode,
    assumptions: [
      ...assumed(
        origins.get('by-role'),
        'the same as the one that was read of a node of its role',
        {
          because: 'not every node has a config of its own among the files',
        },
      ),
      ...assumed(origins.get('default'), defaults.words, {
        because: 'no machine config was given',
      }),
    ],
  };
}

function textOf({ documents, text }: MachineConfigInput): string {
  const values = documents.map(({ tree }) => tree.value);
  return text === undefined ? showDocuments(values) : asWritten(text, values);
}

function namesOf(config: MachineConfigInput): readonly string[] {
  const hostname = mainValue(config, 'machine', 'network', 'hostname');
  return [valueOr(config.node, ''), typeof hostname === 'string' ? hostname : ''].filter(
    (name) => name !== '',
  );
}

function mainValue(config: MachineConfigInput, ...path: string[]): unknown {
  return config.documents.find(({ kind }) => kind === 'v1alpha1')?.tree.at(path)?.value;
}

interface Defaults {
  readonly podSubnet: string;
  readonly serviceSubnet: string;
  readonly proxyDisabled: boolean;
  readonly words: string;
}

/** What generated configs have had since 1.6, with what the cluster's own objects show. */
function defaultsFor(objects: readonly KubeObject[]): Defaults {
  const podSubnet = podRange(objects) ?? '10.244.0.0/16';
  const serviceSubnet = serviceRange(objects) ?? '10.96.0.0/12';
  const daemonSets = objects.filter(({ kind }) => kind === 'DaemonSet');
  const proxyDisabled =
    daemonSets.length > 0 && !daemonSets.some(({ metadata }) => metadata.name === 'kube-proxy');
  return {
    podSubnet,
    serviceSubnet,
    proxyDisabled,
    words: `KubePrism on, Flannel ${proxyDisabled ? 'by Talos, kube-proxy disabled' : 'and kube-proxy by Talos'}, host DNS without forwarding, pods in ${podSubnet}, Services in ${serviceSubnet}`,
  };
}

function defaultConfig({ name, controlPlane }: ConfiguredNode, defaults: Defaults): string {
  return showDocuments([
    {
      version: 'v1alpha1',
      machine: {
        type: controlPlane ? 'controlplane' : 'worker',
        network: { hostname: name },
        features: { kubePrism: { enabled: true, port: 7445 }, hostDNS: { enabled: true } },
      },
      cluster: {
        network: {
          dnsDomain: 'cluster.local',
          podSubnets: [defaults.podSubnet],
          serviceSubnets: [defaults.serviceSubnet],
        },
        ...(defaults.proxyDisabled ? { proxy: { disabled: true } } : {}),
      },
    },
  ]);
}

function assumed(
  nodes: readonly ConfiguredNode[] | undefined,
  what: string,
  { because }: { readonly because: string },
): readonly Assumption[] {
  const [first] = nodes ?? [];
  if (first === undefined) return [];
  return [
    {
      about: `machine config of ${nodes?.length === 1 ? first.name : `${nodes?.length ?? 0} nodes`}`,
      assumed: what,
      because,
      command: `talosctl -n ${first.address} get machineconfig v1alpha1 -o yaml`,
    },
  ];
}
