/**
 * The cluster as the planner needs it: facts that matter made plain, what is unknown turned into a
 * refusal (it must be known) or a decision (with the command that would tell).
 */
import { atLeast } from '../base/versions.ts';
import type {
  ClusterFacts,
  Distribution,
  MachineConfigFacts,
  NodeFacts,
  TargetFacts,
} from '../model/facts.ts';
import { FLANNEL_NFT_TABLES } from '../knowledge/packet-filter/rules-owners.ts';
import { RKE2_CANAL } from '../knowledge/rke2.ts';
import type { Finding } from '../model/finding.ts';
import { valueOr } from '../model/fact.ts';
import type { PodObject } from '../model/kubernetes.ts';
import type { DistributionAdapter } from './distributions/adapter.ts';
import { adapterFor } from './distributions/registry.ts';
import type { Decision, Intent } from './intent.ts';
import { refusal } from './refusal.ts';

export interface Situation {
  readonly facts: ClusterFacts;
  readonly distribution: Distribution;
  readonly adapter: DistributionAdapter;
  readonly distributionVersion: string;
  readonly kubernetesVersion: string;
  readonly cluster: { readonly uid: string; readonly name: string };
  readonly nodes: readonly NodeFacts[];
  readonly controlPlanes: readonly NodeFacts[];
  readonly workers: readonly NodeFacts[];
  readonly nodeAddresses: readonly string[];
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly oldPort: number | undefined;
  readonly flannelDaemonSet: { readonly namespace: string; readonly name: string };
  readonly kubeProxyPresent: boolean;
  /** What Flannel has of them on each node. */
  readonly nftTables: readonly string[];
  readonly target: TargetFacts | undefined;
  /** Whole machine configs, of control planes first. */
  readonly configs: readonly MachineConfigFacts[];
  readonly kubePrism: { readonly host: string; readonly port: number } | undefined;
  /** Talos hands DNS of pods to the host; true also when that is not known. */
  readonly forwardsDnsToHost: boolean;
  readonly podsByNode: ReadonlyMap<string, readonly PodObject[]>;
}

export interface Notes {
  readonly decisions: Decision[];
  readonly refusals: Finding[];
}

export function decide(notes: Notes, about: string, choice: string, because: string): void {
  notes.decisions.push({ about, choice, because });
}

/** Undefined when something is missing that no plan can do without; the notes say what. */
export function situationOf(
  facts: ClusterFacts,
  intent: Intent,
  notes: Notes,
): Situation | undefined {
  const distribution = distributionOf(facts, notes);
  const nodes = nodesOf(facts, notes);
  checkSource(facts, distribution, notes);
  if (distribution === undefined || nodes === undefined || notes.refusals.length > 0)
    return undefined;
  const configs = facts.machineConfigs
    .filter(({ kind }) => kind === 'config')
    .toSorted((left, right) => Number(isWorker(left)) - Number(isWorker(right)));
  const talosVersion = facts.cluster.talosVersion.known
    ? facts.cluster.talosVersion.value
    : firstKnown(nodes.map((node) => node.talosVersion));
  if (distribution === 'talos' && talosVersion === undefined) {
    decide(notes, 'Talos version', 'taken as 1.10', 'it was not read; talosctl version tells it');
  }
  const kubernetesVersion = valueOr(
    facts.cluster.kubernetesVersion,
    firstKnown(nodes.map((node) => node.kubeletVersion)) ?? '1.33.0',
  );
  const controlPlanes = nodes.filter((node) => roleOf(node) === 'control-plane');
  const workers = nodes.filter((node) => roleOf(node) !== 'control-plane');
  const daemonSet = flannelDaemonSet(facts, distribution);
  const proxyPresent = kubeProxyPresent(facts, notes);
  const adapter = adapterFor(distribution, {
    facts,
    controlPlanes,
    workers,
    kubernetesVersion,
    flannelDaemonSet: daemonSet,
    kubeProxyPresent: proxyPresent,
  });
  return {
    facts,
    distribution,
    adapter,
    distributionVersion:
      distribution === 'talos'
        ? (talosVersion ?? '1.10.0')
        : valueOr(facts.cluster.kubernetesVersion, '1.33.0'),
    kubernetesVersion,
    cluster: {
      uid: valueOr(facts.cluster.uid, 'unknown'),
      name: valueOr(facts.cluster.name, 'unnamed'),
    },
    nodes,
    controlPlanes,
    workers,
    nodeAddresses: nodes.flatMap(({ internalIps }) => internalIps),
    podCidrs: podCidrsOf(facts, nodes, notes),
    serviceCidrs: serviceCidrsOf(facts, notes),
    oldPort: oldPortOf(facts, distribution, notes),
    nftTables: nftTablesOf(facts, distribution, talosVersion),
    flannelDaemonSet: daemonSet,
    kubeProxyPresent: proxyPresent,
    target: targetOf(facts, intent, notes),
    configs,
    kubePrism: kubePrismOf(distribution, configs, notes),
    forwardsDnsToHost: forwardsDns(distribution, configs, notes),
    podsByNode: podsByNode(facts),
  };
}

function roleOf(node: NodeFacts): string {
  return valueOr(node.role, 'worker');
}

function isWorker(config: MachineConfigFacts): boolean {
  return config.machineType.known && config.machineType.value === 'worker';
}

function firstKnown(
  facts: readonly { readonly known: boolean; readonly value?: string }[],
): string | undefined {
  return facts.find((fact) => fact.known)?.value;
}

function distributionOf(facts: ClusterFacts, notes: Notes): Distribution | undefined {
  const { distribution } = facts.cluster;
  if (!distribution.known) {
    notes.refusals.push(
      refusal({
        id: 'distribution-unknown',
        covers: ['FM-49'],
        title: 'The distribution is not known',
        message: `Where the CNI conf lives, who deploys the old CNI and what a reboot leaves differ per distribution, and ${distribution.missing} was not read.`,
        fix: 'Add the Node objects to the input.',
        command: distribution.command ?? 'kubectl get nodes -o json',
      }),
    );
    return undefined;
  }
  return distribution.value;
}

function nodesOf(facts: ClusterFacts, notes: Notes): readonly NodeFacts[] | undefined {
  if (facts.nodes.known && facts.nodes.value.length > 0) {
    return facts.nodes.value.toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }
  notes.refusals.push(
    refusal({
      id: 'nodes-unknown',
      covers: [],
      title: 'The nodes are not known',
      message: 'A plan moves nodes one after the other, and no Node object was read.',
      fix: 'Add the Node objects to the input.',
      command:
        'kubectl get nodes,pods,ds,deploy,sts,pdb,svc,netpol,pv,pvc,volumeattachments -A -o json',
    }),
  );
  return undefined;
}

/** RKE2's Flannel is in Canal; there is a chart for Flannel alone too, whose steps are others. */
function sourceOf(distribution: Distribution | undefined): 'flannel' | 'canal' {
  return distribution === 'rke2' ? 'canal' : 'flannel';
}

function checkSource(
  facts: ClusterFacts,
  distribution: Distribution | undefined,
  notes: Notes,
): void {
  const { sourceCni } = facts;
  const source = sourceOf(distribution);
  if (sourceCni.known && sourceCni.value === source) return;
  const from = source === 'canal' ? 'Canal on RKE2' : 'Flannel';
  notes.refusals.push(
    refusal({
      id: sourceCni.known ? 'source-cni-unsupported' : 'source-cni-unknown',
      covers: [],
      title: sourceCni.known
        ? `The cluster runs ${sourceCni.value}, not ${from}`
        : 'The present CNI is not known',
      message: sourceCni.known
        ? `regauge plans the road from ${from} to Cilium; from ${sourceCni.value} the procedure has other steps.`
        : `What is to be replaced was not read (${sourceCni.missing}).`,
      fix: sourceCni.known
        ? 'Use check on the values; there is no plan for this source yet.'
        : 'Add the DaemonSets to the input.',
      ...(sourceCni.known ? {} : { command: 'kubectl get ds -A -o json' }),
    }),
  );
}

function podCidrsOf(
  facts: ClusterFacts,
  nodes: readonly NodeFacts[],
  notes: Notes,
): readonly string[] {
  if (facts.cluster.podCidrs.known && facts.cluster.podCidrs.value.length > 0)
    return facts.cluster.podCidrs.value;
  if (facts.flannel.known && facts.flannel.value.network.known)
    return [facts.flannel.value.network.value];
  const own = [...new Set(nodes.flatMap(({ podCidrs }) => podCidrs))];
  decide(
    notes,
    'pod CIDR in use',
    own.join(', ') || 'unknown',
    'the cluster CIDR was not read (kubectl get pods -n kube-system -o yaml); taken from the nodes',
  );
  return own;
}

function serviceCidrsOf(facts: ClusterFacts, notes: Notes): readonly string[] {
  if (facts.cluster.serviceCidrs.known && facts.cluster.serviceCidrs.value.length > 0)
    return facts.cluster.serviceCidrs.value;
  decide(
    notes,
    'service CIDR',
    'taken as 10.96.0.0/12',
    'it was not read; kubectl get servicecidrs, or cluster.network.serviceSubnets, tells it',
  );
  return ['10.96.0.0/12'];
}

function oldPortOf(facts: ClusterFacts, distribution: string, notes: Notes): number | undefined {
  if (facts.flannel.known && facts.flannel.value.port.known) return facts.flannel.value.port.value;
  if (distribution === 'talos') return 4789;
  decide(
    notes,
    "Flannel's UDP port",
    'unknown',
    'net-conf.json was not read (kubectl get cm -A -l app=flannel -o yaml); a port is chosen that no usual Flannel uses',
  );
  return undefined;
}

function flannelDaemonSet(
  facts: ClusterFacts,
  distribution: string,
): { readonly namespace: string; readonly name: string } {
  if (facts.flannel.known && facts.flannel.value.daemonSet.known)
    return facts.flannel.value.daemonSet.value;
  if (distribution === 'rke2') return RKE2_CANAL;
  return distribution === 'talos'
    ? { namespace: 'kube-system', name: 'kube-flannel' }
    : { namespace: 'kube-flannel', name: 'kube-flannel-ds' };
}

function kubeProxyPresent(facts: ClusterFacts, notes: Notes): boolean {
  if (facts.kubeProxy.known) return facts.kubeProxy.value.present;
  decide(
    notes,
    'kube-proxy',
    'taken as running',
    `${facts.kubeProxy.missing} was not read; kubectl -n kube-system get ds kube-proxy tells it`,
  );
  return true;
}

function targetOf(facts: ClusterFacts, intent: Intent, notes: Notes): TargetFacts | undefined {
  const [first, ...others] = facts.targets;
  if (intent.target !== undefined) return intent.target;
  if (first === undefined)
    decide(
      notes,
      'target values',
      'chosen by regauge',
      'no Helm values were given (--target values.yaml)',
    );
  if (others.length > 0) {
    decide(
      notes,
      'target values',
      `${first?.source.file ?? 'the first file'}`,
      `${facts.targets.length} values files were given and a plan has one target; name another with --target`,
    );
  }
  return first;
}

function kubePrismOf(
  distribution: string,
  configs: readonly MachineConfigFacts[],
  notes: Notes,
): { readonly host: string; readonly port: number } | undefined {
  if (distribution !== 'talos') return undefined;
  const read = configs.filter(({ kubePrism }) => kubePrism.known);
  const off = read.find(({ kubePrism }) => kubePrism.known && !kubePrism.value.enabled);
  if (off !== undefined) {
    decide(
      notes,
      'KubePrism',
      'not used',
      `it is off on ${valueOr(off.node, 'a node')}; an agent there could not reach the API through it (FM-06)`,
    );
    return undefined;
  }
  const port =
    read.flatMap(({ kubePrism }) => (kubePrism.known ? [kubePrism.value.port] : []))[0] ?? 7445;
  if (read.length === 0) {
    decide(
      notes,
      'KubePrism',
      `taken as on, port ${port}`,
      'no machine config was read; talosctl get kubeprismstatuses tells it for every node',
    );
  }
  return { host: 'localhost', port };
}

function forwardsDns(
  distribution: string,
  configs: readonly MachineConfigFacts[],
  notes: Notes,
): boolean {
  if (distribution !== 'talos') return false;
  const told = configs.flatMap(({ forwardKubeDnsToHost }) =>
    forwardKubeDnsToHost.known ? [forwardKubeDnsToHost.value] : [],
  );
  if (told.length > 0) return told.includes(true);
  decide(
    notes,
    'Talos host DNS',
    'taken as forwarding kube DNS to the host',
    'machine.features.hostDNS was not read (talosctl get hostdnsconfig); host legacy routing is right in both cases',
  );
  return true;
}

function podsByNode(facts: ClusterFacts): ReadonlyMap<string, readonly PodObject[]> {
  const byNode = new Map<string, PodObject[]>();
  for (const { value } of facts.workloads.pods) {
    const node = value.spec.nodeName;
    if (node === undefined) continue;
    const list = byNode.get(node);
    if (list === undefined) byNode.set(node, [value]);
    else list.push(value);
  }
  return byNode;
}

/** Talos turns them on for new clusters from 1.14 on (talos:pkg/flannel); the ConfigMap says what is. */
function nftTablesOf(
  { flannel }: ClusterFacts,
  distribution: Distribution,
  talosVersion: string | undefined,
): readonly string[] {
  const told = flannel.known ? flannel.value.nftables : undefined;
  const uses =
    told?.known === true
      ? told.value
      : distribution === 'talos' && atLeast(talosVersion ?? '1.10.0', '1.14.0');
  return uses ? FLANNEL_NFT_TABLES : [];
}
