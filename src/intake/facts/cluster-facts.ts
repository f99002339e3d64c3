/** What the cluster is: distribution, versions, address ranges; from whatever was read that tells. */
import { parseCidr } from '../../base/cidr.ts';
import type { ReadObject } from '../../model/cluster-input.ts';
import { known, unknown } from '../../model/fact.ts';
import type { Fact } from '../../model/fact.ts';
import type {
  ClusterFacts,
  Distribution,
  MachineConfigFacts,
  NodeFacts,
} from '../../model/facts.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import { isTable } from '../intake.ts';
import { apiEndpoint } from './api-endpoint.ts';
import { parsed } from './embedded-yaml.ts';
import { k3sServer } from './k3s-facts.ts';
import { agreed } from './node-facts.ts';
import { dataOf, flagIn, imageOf } from './object-index.ts';
import type { ObjectIndex } from './object-index.ts';

export function clusterFacts(
  index: ObjectIndex,
  nodes: readonly NodeFacts[],
  machineConfigs: readonly MachineConfigFacts[],
  talosVersion: Fact<string>,
): ClusterFacts['cluster'] {
  const controllers = staticPods(index, 'kube-controller-manager');
  const servers = staticPods(index, 'kube-apiserver');
  const k3s = k3sServer(nodes);
  return {
    uid: uidOf(index),
    name: clusterName(index, machineConfigs),
    distribution: distributionOf(index, nodes, machineConfigs),
    kubernetesVersion: kubernetesVersion(servers, nodes),
    talosVersion,
    podCidrs: ranges('the pod CIDRs of the cluster', [
      ...controllers.map((pod) => rangeFlag(pod, '--cluster-cidr')),
      ...settingsOf(machineConfigs, ({ podSubnets }) => podSubnets),
      kubeadmRange(index, 'podSubnet'),
      k3s === undefined ? undefined : known(listOfRanges(k3s.network.clusterCidr), k3s.source),
      flannelNetwork(index),
    ]),
    serviceCidrs: ranges('the service CIDRs of the cluster', [
      ...servers.map((pod) => rangeFlag(pod, '--service-cluster-ip-range')),
      ...settingsOf(machineConfigs, ({ serviceSubnets }) => serviceSubnets),
      kubeadmRange(index, 'serviceSubnet'),
      k3s === undefined ? undefined : known(listOfRanges(k3s.network.serviceCidr), k3s.source),
    ]),
    apiEndpoint: apiEndpoint(index, machineConfigs, k3s),
    hasLiveObjects: nodes.length > 0,
  };
}

function uidOf(index: ObjectIndex): Fact<string> {
  const namespace = index.find('Namespace.', '', 'kube-system');
  const uid = namespace?.object.metadata.uid;
  return namespace === undefined || uid === undefined
    ? unknown('the UID of the namespace kube-system', 'kubectl get namespace kube-system -o json')
    : known(uid, { ...namespace.source, path: 'metadata.uid' });
}

/** Mirror pods of static pods: their arguments are what really runs. */
function staticPods(index: ObjectIndex, component: string): readonly ReadObject[] {
  return index
    .of('Pod.')
    .filter(
      ({ object: { metadata } }) =>
        metadata.namespace === 'kube-system' && metadata.name.startsWith(`${component}-`),
    );
}

/** What kubectl, the kubelet and the API server say, told by marks that only one distribution has. */
function distributionOf(
  index: ObjectIndex,
  nodes: readonly NodeFacts[],
  machineConfigs: readonly MachineConfigFacts[],
): Fact<Distribution> {
  for (const node of nodes) {
    const distribution = byNode(node);
    if (distribution !== undefined)
      return known(distribution, { ...node.source, path: 'status.nodeInfo' });
  }
  const kubeadm = index.find('ConfigMap.', 'kube-system', 'kubeadm-config');
  if (kubeadm !== undefined) return known('kubeadm', kubeadm.source);
  const [config] = machineConfigs;
  if (config !== undefined) return known('talos', config.input.source);
  return unknown('the distribution of the nodes', 'kubectl get nodes -o json');
}

function byNode({ osImage, kubeletVersion, object }: NodeFacts): Distribution | undefined {
  if (osImage.known && osImage.value.startsWith('Talos')) return 'talos';
  if (kubeletVersion.known && kubeletVersion.value.includes('+k3s')) return 'k3s';
  if (kubeletVersion.known && kubeletVersion.value.includes('+rke2')) return 'rke2';
  return object.metadata.annotations?.['kubeadm.alpha.kubernetes.io/cri-socket'] === undefined
    ? undefined
    : 'kubeadm';
}

/** The API server's image tells; else the kubelets, where they agree. */
function kubernetesVersion(
  servers: readonly ReadObject[],
  nodes: readonly NodeFacts[],
): Fact<string> {
  const tags = servers.flatMap((server): readonly Fact<string>[] => {
    const [container] = (server.object as PodObject).spec.containers; // indexed by kind
    const tag = container === undefined ? undefined : imageOf(container).tag;
    return tag !== undefined && /^\d+\.\d+\.\d+/.test(tag) ? [known(tag, server.source)] : [];
  });
  const command = 'kubectl version -o json';
  return tags.length > 0
    ? agreed(tags, 'the version of Kubernetes', command)
    : agreed(
        nodes.map(({ kubeletVersion }) => kubeletVersion),
        'the version of Kubernetes',
        command,
      );
}

function clusterName(
  index: ObjectIndex,
  machineConfigs: readonly MachineConfigFacts[],
): Fact<string> {
  const config = machineConfigs.find((candidate) => candidate.clusterName.known);
  if (config !== undefined) return config.clusterName;
  const kubeadm = kubeadmConfig(index);
  const name = kubeadm?.value['clusterName'];
  return kubeadm !== undefined && typeof name === 'string'
    ? known(name, kubeadm.read.source)
    : unknown('the name of the cluster', 'talosctl -n <node> get machineconfig -o yaml');
}

type Ranges = Fact<readonly string[]>;

/** The first that tells, in the order given: what runs before what was configured. */
function ranges(what: string, candidates: readonly (Ranges | undefined)[]): Ranges {
  for (const candidate of candidates) if (candidate?.known === true) return candidate;
  return unknown(what, 'kubectl get pods -n kube-system -o json');
}

function rangeFlag(pod: ReadObject, flag: string): Ranges | undefined {
  const text = flagIn((pod.object as PodObject).spec, flag); // indexed by kind
  return text === undefined ? undefined : known(listOfRanges(text), pod.source);
}

function settingsOf(
  configs: readonly MachineConfigFacts[],
  read: (config: MachineConfigFacts) => Ranges,
): readonly Ranges[] {
  const controlPlanes = configs.filter(
    ({ machineType }) => machineType.known && machineType.value === 'controlplane',
  );
  const whole = configs.filter(({ kind }) => kind === 'config');
  return [...controlPlanes, ...whole].map(read);
}

function kubeadmRange(index: ObjectIndex, key: string): Ranges | undefined {
  const config = kubeadmConfig(index);
  const networking = config?.value['networking'];
  const text = isTable(networking) ? networking[key] : undefined;
  return config === undefined || typeof text !== 'string'
    ? undefined
    : known(listOfRanges(text), config.read.source);
}

function kubeadmConfig(
  index: ObjectIndex,
): { read: ReadObject; value: Readonly<Record<string, unknown>> } | undefined {
  const read = index.find('ConfigMap.', 'kube-system', 'kubeadm-config');
  const value = parsed(dataOf(read, 'ClusterConfiguration'));
  return read !== undefined && isTable(value) ? { read, value } : undefined;
}

function flannelNetwork(index: ObjectIndex): Ranges | undefined {
  for (const read of index.of('ConfigMap.')) {
    if (read.object.metadata.name !== 'kube-flannel-cfg') continue;
    const value = parsed(dataOf(read, 'net-conf.json'));
    const network = isTable(value) ? value['Network'] : undefined;
    if (typeof network === 'string')
      return known([network], { ...read.source, path: 'data["net-conf.json"]' });
  }
  return undefined;
}

function listOfRanges(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => parseCidr(part) !== undefined);
}
