/** What steps and gates ask of pods and nodes. */
import { parseAddress, parseCidr, contains, type Cidr } from '../base/cidr.ts';
import { controllerOf, type NodeObject, type PodObject } from '../model/kubernetes.ts';
import type { Plan } from '../model/plan.ts';
import type { KubernetesPort } from '../ports/index.ts';

export function isReady(pod: PodObject): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  return pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}

export function isOver(pod: PodObject): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

export function isNodeReady(node: NodeObject | undefined): boolean {
  return node?.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
}

/** A static pod shows as a mirror; deleting the mirror changes nothing on the node. */
export function isMirror(pod: PodObject): boolean {
  return pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}

/** Nobody makes the pod again when it is gone. */
export function isBare(pod: PodObject): boolean {
  return controllerOf(pod) === undefined;
}

export function isOwnedBy(pod: PodObject, kind: string): boolean {
  return controllerOf(pod)?.kind === kind;
}

const parsedPools = new WeakMap<readonly string[], readonly Cidr[]>();

function poolsOf(cidrs: readonly string[]): readonly Cidr[] {
  let pools = parsedPools.get(cidrs);
  if (pools === undefined) {
    pools = cidrs.map(parseCidr).filter((cidr) => cidr !== undefined);
    parsedPools.set(cidrs, pools);
  }
  return pools;
}

/** The pod has an address, and it is of the ranges given. */
export function hasAddressIn(pod: PodObject, cidrs: readonly string[]): boolean {
  const ip = pod.status.podIP;
  if (ip === undefined || ip === '') return false;
  const address = parseAddress(ip);
  return address !== undefined && poolsOf(cidrs).some((pool) => contains(pool, address));
}

/** The pod lives on the old network: it has an address, and not one of the new pool's. */
export function isOnOldNetwork(pod: PodObject, plan: Plan): boolean {
  if (pod.spec.hostNetwork === true || isOver(pod)) return false;
  if (pod.status.podIP === undefined || pod.status.podIP === '') return false;
  return !hasAddressIn(pod, plan.to.podCidrs);
}

export function podsOn(kubernetes: KubernetesPort, node: string): Promise<readonly PodObject[]> {
  return kubernetes.list<PodObject>('v1', 'Pod', { nodeName: node });
}

export function getNode(kubernetes: KubernetesPort, node: string): Promise<NodeObject | undefined> {
  return kubernetes.get<NodeObject>({ apiVersion: 'v1', kind: 'Node', name: node });
}

export const AGENT_LABELS = { 'k8s-app': 'cilium' } as const;

/** The Cilium agent's pods on the node; more than one only while one is being replaced. */
export function agentsOn(
  kubernetes: KubernetesPort,
  plan: Plan,
  node: string,
): Promise<readonly PodObject[]> {
  return kubernetes.list<PodObject>('v1', 'Pod', {
    namespace: plan.platform.release.namespace,
    nodeName: node,
    labelSelector: AGENT_LABELS,
  });
}

export function showPod(pod: PodObject): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`;
}
