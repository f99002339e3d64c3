/**
 * Clusters in a state or of a kind that no plan is made for yet: said before anything else, each with
 * what can be done about it. A step that would only find out on the way is worse than no plan.
 */
import { contains, parseAddress, parseCidr } from '../base/cidr.ts';
import { atLeast } from '../base/versions.ts';
import type { NodeFacts } from '../model/facts.ts';
import { evidenceAt, type Finding } from '../model/finding.ts';
import type { PodObject } from '../model/kubernetes.ts';
import { refusal } from './refusal.ts';
import type { Situation } from './situation.ts';

export function unsupported(situation: Situation): readonly Finding[] {
  return [
    nodesWithoutAgent(situation),
    nodesNotReady(situation),
    dualStack(situation),
    halfFinished(situation),
    unreadConfigs(situation),
    ...situation.adapter.refusals,
  ].filter((finding) => finding !== undefined);
}

const ARCHITECTURES = ['amd64', 'arm64'];

function nodesWithoutAgent({ nodes }: Situation): Finding | undefined {
  const foreign = nodes.filter(({ object }) => {
    const { metadata, status } = object;
    const { operatingSystem, architecture = 'amd64' } = status.nodeInfo ?? {};
    const system = operatingSystem ?? metadata.labels?.['kubernetes.io/os'] ?? 'linux';
    return system !== 'linux' || !ARCHITECTURES.includes(architecture);
  });
  const [first] = foreign;
  if (first === undefined) return undefined;
  const { operatingSystem = 'linux', architecture = 'amd64' } = first.object.status.nodeInfo ?? {};
  return refusal({
    id: 'nodes-without-agent',
    covers: ['FM-85'],
    title: `Cilium has no agent for ${namesOf(foreign)} (${operatingSystem}/${architecture})`,
    message:
      'Pods there would stay on Flannel, which the plan takes away in the end; until then the two networks of the cluster would meet on the nodes only.',
    fix: `Move those workloads elsewhere and take ${foreign.length === 1 ? 'the node' : 'the nodes'} out of the cluster (kubectl drain, kubectl delete node), or stay with Flannel.`,
    command: 'kubectl get nodes -L kubernetes.io/os,kubernetes.io/arch',
    evidence: evidenceOf(foreign, 'status.nodeInfo'),
    references: ['charts:cilium/values.yaml@1.16.5 (nodeSelector)'],
  });
}

function nodesNotReady({ nodes }: Situation): Finding | undefined {
  const notReady = nodes.filter(({ object }) => {
    const ready = object.status.conditions?.find(({ type }) => type === 'Ready');
    return ready !== undefined && ready.status !== 'True';
  });
  const [first] = notReady;
  if (first === undefined) return undefined;
  const reason = first.object.status.conditions?.find(({ type }) => type === 'Ready')?.message;
  return refusal({
    id: 'nodes-not-ready',
    covers: ['FM-54'],
    title: `${namesOf(notReady)} ${notReady.length === 1 ? 'is' : 'are'} not Ready`,
    message: `A plan moves every node and takes Flannel away at the end: a node that is away meanwhile comes back with a conf for a network that is gone. ${first.name} says: ${(reason ?? 'nothing').replace(/[.]$/, '')}.`,
    fix: 'Bring it back, or take it out of the cluster (kubectl delete node), then read the cluster again.',
    command: `kubectl describe node ${first.name}`,
    evidence: evidenceOf(notReady, 'status.conditions'),
  });
}

/** IPv6 addresses of nodes alone do not matter: what counts is whether pods have them. */
function dualStack({ nodes, podCidrs }: Situation): Finding | undefined {
  const withRange = nodes.filter(({ podCidrs: own }) => own.some(isV6));
  const clusterWide = podCidrs.filter(isV6);
  if (withRange.length === 0 && clusterWide.length === 0) return undefined;
  const [example] =
    clusterWide.length > 0 ? clusterWide : (withRange[0]?.podCidrs ?? []).filter(isV6);
  return refusal({
    id: 'dual-stack',
    covers: ['FM-75'],
    title: 'Pods have IPv6 addresses, and plans are made for IPv4 only so far',
    message: `Pods get addresses of ${example ?? 'an IPv6 range'}. The plan would give them IPv4 alone, and every Service and peer that uses IPv6 would lose them.`,
    fix: 'Follow the documented procedure with ipv6.enabled and an IPv6 pool of its own; check judges those values.',
    evidence: evidenceOf(withRange, 'spec.podCIDRs'),
    references: ['cilium:Documentation/installation/k8s-install-migration.rst@main'],
  });
}

function halfFinished(situation: Situation): Finding | undefined {
  const agents = situation.facts.workloads.daemonSets.find(
    ({ value }) =>
      value.metadata.name === 'cilium' || value.metadata.labels?.['k8s-app'] === 'cilium',
  );
  if (agents === undefined) return undefined;
  const moved = movedPods(situation);
  const nodes = [...new Set(moved.map(({ spec }) => spec.nodeName ?? ''))].toSorted();
  const { namespace = 'kube-system', name } = agents.value.metadata;
  const count =
    moved.length === 0
      ? 'No pod has an address of its pools yet.'
      : `${moved.length} ${moved.length === 1 ? 'pod' : 'pods'} on ${listed(nodes)} have addresses of its pools already.`;
  return refusal({
    id: 'migration-under-way',
    covers: ['FM-04'],
    title: 'A migration is under way already: Cilium runs beside Flannel',
    message: `DaemonSet ${namespace}/${name} is there. ${count} A plan from the start would change the pool and the configuration under them, and regauge does not take over yet what something else began.`,
    fix:
      moved.length === 0
        ? 'Take Cilium away again, then make the plan: nothing depends on it yet. Where regauge’s own plan began it, go on with that plan.'
        : 'Where regauge’s own plan began it, go on with that plan. Else finish it by hand, or move those nodes back; rehearse the commands first (regauge rehearse --runbook).',
    command:
      moved.length === 0 ? `helm uninstall -n ${namespace} cilium` : 'kubectl get pods -A -o wide',
    evidence: [evidenceAt(agents.source)],
    references: ['cilium#28266'],
  });
}

/** From 1.14 on the settings live in documents of their own, or, in upgraded clusters, where they were. */
function unreadConfigs({
  distribution,
  distributionVersion,
  configs,
  controlPlanes,
}: Situation): Finding | undefined {
  if (distribution !== 'talos' || !atLeast(distributionVersion, '1.14.0-0')) return undefined;
  if (configs.some(({ machineType }) => !machineType.known || machineType.value !== 'worker'))
    return undefined;
  return refusal({
    id: 'machine-configs-unread',
    covers: ['FM-35'],
    title: 'The form of the machine configs is not known',
    message: `On Talos ${distributionVersion} Flannel and kube-proxy are switched off by documents of their own, or, in a cluster that was upgraded, in the main document; Talos refuses the form that is not there. No machine config of a control plane was read.`,
    fix: 'Add what talosctl prints to the input.',
    command: `talosctl -n ${controlPlanes[0]?.internalIps[0] ?? '<control plane>'} get machineconfig v1alpha1 -o yaml > machineconfig.yaml`,
    references: ['talos:pkg/machinery/config/types/v1alpha1/v1alpha1_k8s_bridge.go@v1.14.0-rc.1'],
  });
}

/** Pods that run with an address outside the old ranges. */
function movedPods({ facts, podCidrs }: Situation): readonly PodObject[] {
  const old = podCidrs.map(parseCidr).filter((cidr) => cidr !== undefined);
  return facts.workloads.pods
    .map(({ value }) => value)
    .filter(({ spec, status }) => {
      if (spec.hostNetwork === true || status.phase !== 'Running') return false;
      const address = parseAddress(status.podIP ?? '');
      return address !== undefined && !old.some((range) => contains(range, address));
    });
}

function isV6(range: string): boolean {
  return range.includes(':');
}

function namesOf(nodes: readonly NodeFacts[]): string {
  return listed(nodes.map(({ name }) => name));
}

function listed(names: readonly string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  return names.length === 2 ? names.join(' and ') : names.join(', ');
}

function evidenceOf(nodes: readonly NodeFacts[], path: string): Finding['evidence'] {
  return nodes.slice(0, 3).map(({ source, name }) => evidenceAt({ ...source, path }, name));
}
