/** Which CNI the cluster runs, and Flannel's settings as far as they were read. */
import type { Source } from '../../base/source.ts';
import type { CniConfInput, ReadObject } from '../../model/cluster-input.ts';
import { known, unknown } from '../../model/fact.ts';
import type { Fact } from '../../model/fact.ts';
import type {
  CniName,
  Distribution,
  FlannelFacts,
  MachineConfigFacts,
  NodeFacts,
} from '../../model/facts.ts';
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import { isTable } from '../intake.ts';
import { parsed } from './embedded-yaml.ts';
import { k3sServer } from './k3s-facts.ts';
import { dataOf, imageOf } from './object-index.ts';
import type { ObjectIndex } from './object-index.ts';

export interface CniEvidence {
  readonly index: ObjectIndex;
  readonly nodes: readonly NodeFacts[];
  readonly machineConfigs: readonly MachineConfigFacts[];
  readonly cniConfs: readonly CniConfInput[];
  readonly distribution: Fact<Distribution>;
}

const BACKEND_TYPE = 'flannel.alpha.coreos.com/backend-type';

/** While two run side by side, the one that is migrated from: any before Cilium. */
export function sourceCni(evidence: CniEvidence): Fact<CniName> {
  const running =
    daemonSetCni(evidence.index) ?? annotatedFlannel(evidence) ?? configuredFlannel(evidence);
  if (running !== undefined) return running;
  const conf = confCni(evidence.cniConfs);
  if (conf !== undefined) return conf;
  return evidence.index.of('DaemonSet.apps').length > 0 && wantsNone(evidence)
    ? known('none', evidence.machineConfigs[0]?.input.source ?? {})
    : unknown('the CNI that the cluster runs', 'kubectl get daemonsets -A -o json');
}

function daemonSetCni(index: ObjectIndex): Fact<CniName> | undefined {
  let cilium: ReadObject | undefined;
  for (const read of index.of('DaemonSet.apps')) {
    const name = cniOf(read.object as DaemonSetObject); // indexed by kind
    if (name === 'cilium') cilium ??= read;
    else if (name !== undefined) return known(name, read.source);
  }
  return cilium === undefined ? undefined : known('cilium', cilium.source);
}

function cniOf({ spec }: DaemonSetObject): CniName | undefined {
  const images = spec.template.spec.containers.map((container) => `/${imageOf(container).name}`);
  const runs = (pattern: RegExp): boolean => images.some((image) => pattern.test(image));
  const flannel = runs(/\/(hardened-)?flannel$/);
  const calico = runs(/\/((mirrored-)?calico-node|hardened-calico|node)$/) && runs(/calico/);
  if (flannel) return calico ? 'canal' : 'flannel';
  if (calico) return 'calico';
  if (runs(/\/kindnetd?$/)) return 'kindnet';
  return runs(/\/cilium(-ci)?$/) ? 'cilium' : undefined;
}

/**
 * K3s runs flanneld inside its own process: only its annotations on nodes show it. They stay when it is
 * switched off (k3s-io/k3s#3932), so what servers were started with counts more.
 */
function annotatedFlannel({ nodes }: CniEvidence): Fact<CniName> | undefined {
  if (k3sServer(nodes)?.network.flannelBackend === 'none') return undefined;
  const node = nodes.find(
    ({ object }) => object.metadata.annotations?.[BACKEND_TYPE] !== undefined,
  );
  return node === undefined
    ? undefined
    : known('flannel', { ...node.source, path: 'metadata.annotations' });
}

function configuredFlannel({ machineConfigs }: CniEvidence): Fact<CniName> | undefined {
  const config = machineConfigs.find(
    ({ kind, cniName }) => kind === 'config' && cniName.known && cniName.value === 'flannel',
  );
  return config?.cniName.known === true ? known('flannel', config.cniName.source) : undefined;
}

function wantsNone({ machineConfigs }: CniEvidence): boolean {
  return machineConfigs.some(
    ({ kind, cniName }) => kind === 'config' && cniName.known && cniName.value === 'none',
  );
}

const PLUGIN_CNI: Readonly<Record<string, CniName>> = {
  flannel: 'flannel',
  'cilium-cni': 'cilium',
  calico: 'calico',
  ptp: 'kindnet',
};

/** Confs of more than one CNI tell that two are there, not which one is left: any before Cilium. */
function confCni(confs: readonly CniConfInput[]): Fact<CniName> | undefined {
  const found = confs.flatMap(({ text, source }): readonly { name: CniName; source: Source }[] => {
    const value = parsed(text);
    const plugins: unknown = isTable(value) ? (value['plugins'] ?? [value]) : [];
    const [first] = Array.isArray(plugins) ? (plugins as unknown[]) : [];
    const type = isTable(first) && typeof first['type'] === 'string' ? first['type'] : '';
    const name = Object.hasOwn(PLUGIN_CNI, type) ? PLUGIN_CNI[type] : undefined;
    if (name === undefined) return [];
    return [{ name: name === 'calico' && isTable(first) ? calicoOrCanal(first) : name, source }];
  });
  const chosen = found.find(({ name }) => name !== 'cilium') ?? found[0];
  return chosen === undefined ? undefined : known(chosen.name, chosen.source);
}

/** Calico that carries packets gives out addresses itself; over Flannel host-local does (canal.yaml). */
function calicoOrCanal({ ipam }: Readonly<Record<string, unknown>>): CniName {
  return isTable(ipam) && ipam['type'] === 'host-local' ? 'canal' : 'calico';
}

/** UDP ports of the VXLAN backend: flannel:Documentation/backends.md@v0.28.9; Talos on every version. */
const UPSTREAM_PORT = 8472;
const TALOS_PORT = 4789;

export function flannelFacts(evidence: CniEvidence, cni: Fact<CniName>): Fact<FlannelFacts> {
  const daemonSet = evidence.index
    .of('DaemonSet.apps')
    .find(({ object }) => ['flannel', 'canal'].includes(cniOf(object as DaemonSetObject) ?? '')); // indexed by kind
  const config = evidence.index
    .of('ConfigMap.')
    .find(({ object }) => /^(kube-flannel-cfg|(rke2-)?canal-config)$/.test(object.metadata.name));
  if (daemonSet === undefined && config === undefined && !(cni.known && cni.value === 'flannel')) {
    return unknown('the DaemonSet of Flannel', 'kubectl get daemonsets,configmaps -A -o json');
  }
  const netConf = netConfOf(config);
  const source = daemonSet?.source ?? config?.source ?? (cni.known ? cni.source : {});
  return known(
    {
      version: versionOf(daemonSet),
      backend: backendOf(evidence, netConf),
      port: portOf(evidence, netConf, source),
      network: networkOf(evidence, netConf),
      enforcesPolicies: enforcement(evidence, daemonSet),
      nftables: nftablesOf(evidence, netConf),
      daemonSet:
        daemonSet === undefined
          ? unknown('the DaemonSet of Flannel', 'kubectl get daemonsets -A -o json')
          : known(
              {
                namespace: daemonSet.object.metadata.namespace ?? 'default',
                name: daemonSet.object.metadata.name,
              },
              daemonSet.source,
            ),
    },
    source,
  );
}

interface NetConf {
  readonly source: Source;
  readonly network: unknown;
  readonly backend: Readonly<Record<string, unknown>>;
  readonly nftables: boolean;
}

function netConfOf(config: ReadObject | undefined): NetConf | undefined {
  const value = parsed(dataOf(config, 'net-conf.json'));
  if (config === undefined || !isTable(value)) return undefined;
  const backend = isTable(value['Backend']) ? value['Backend'] : {};
  return {
    source: { ...config.source, path: 'data["net-conf.json"]' },
    network: value['Network'],
    nftables: value['EnableNFTables'] === true,
    backend,
  };
}

const GET_CONFIG = 'kubectl get configmap -n kube-system kube-flannel-cfg -o json';

/** Told by the ConfigMap; K3s writes no such setting (k3s:pkg/agent/flannel/setup.go@05f0cdf). */
function nftablesOf({ nodes }: CniEvidence, netConf: NetConf | undefined): Fact<boolean> {
  if (netConf !== undefined) return known(netConf.nftables, netConf.source);
  const server = k3sServer(nodes);
  if (server !== undefined) return known(false, server.source);
  return unknown('whether Flannel writes tables of nft', GET_CONFIG);
}

function backendOf({ nodes }: CniEvidence, netConf: NetConf | undefined): Fact<string> {
  const type = netConf?.backend['Type'];
  if (netConf !== undefined && typeof type === 'string') return known(type, netConf.source);
  for (const { object, source } of nodes) {
    const annotated = object.metadata.annotations?.[BACKEND_TYPE];
    if (annotated !== undefined)
      return known(annotated, { ...source, path: 'metadata.annotations' });
  }
  return unknown('the backend of Flannel', GET_CONFIG);
}

function portOf(
  { distribution }: CniEvidence,
  netConf: NetConf | undefined,
  source: Source,
): Fact<number> {
  const port = netConf?.backend['Port'];
  if (netConf !== undefined)
    return known(typeof port === 'number' ? port : UPSTREAM_PORT, netConf.source);
  if (!distribution.known) return unknown('the port of Flannel', GET_CONFIG);
  if (distribution.value === 'talos') return known(TALOS_PORT, source);
  return distribution.value === 'k3s'
    ? known(UPSTREAM_PORT, source)
    : unknown('the port of Flannel', GET_CONFIG);
}

function networkOf(
  { machineConfigs, nodes }: CniEvidence,
  netConf: NetConf | undefined,
): Fact<string> {
  if (netConf !== undefined && typeof netConf.network === 'string')
    return known(netConf.network, netConf.source);
  const server = k3sServer(nodes);
  const [first] = server?.network.clusterCidr.split(',') ?? [];
  if (server !== undefined && first !== undefined) return known(first, server.source);
  const config = machineConfigs.find(
    ({ kind, podSubnets }) => kind === 'config' && podSubnets.known,
  );
  const subnets = config?.podSubnets;
  const ipv4 =
    subnets?.known === true ? subnets.value.find((subnet) => !subnet.includes(':')) : undefined;
  return subnets?.known === true && ipv4 !== undefined
    ? known(ipv4, subnets.source)
    : unknown('the network of Flannel', GET_CONFIG);
}

function versionOf(daemonSet: ReadObject | undefined): Fact<string> {
  const containers =
    daemonSet === undefined
      ? []
      : (daemonSet.object as DaemonSetObject).spec.template.spec.containers; // indexed by kind
  const container = containers.find((candidate) =>
    /\/(hardened-)?flannel$/.test(`/${imageOf(candidate).name}`),
  );
  const tag = container === undefined ? undefined : imageOf(container).tag;
  return daemonSet === undefined || tag === undefined
    ? unknown('the version of Flannel', 'kubectl get daemonsets -A -o json')
    : known(tag, daemonSet.source);
}

/** Canal enforces with Calico, K3s itself; Talos from 1.13 can add kube-network-policies as a side-car. */
function enforcement({ nodes }: CniEvidence, daemonSet: ReadObject | undefined): Fact<boolean> {
  const server = daemonSet === undefined ? k3sServer(nodes) : undefined;
  if (server !== undefined) return known(server.network.networkPolicy, server.source);
  if (daemonSet === undefined)
    return unknown('whether Flannel has a policy side-car', 'kubectl get daemonsets -A -o json');
  const object = daemonSet.object as DaemonSetObject; // indexed by kind
  const sideCar = object.spec.template.spec.containers.some((container) =>
    /network-polic/.test(`${container.name} ${container.image ?? ''}`),
  );
  return known(sideCar || cniOf(object) === 'canal', daemonSet.source);
}
