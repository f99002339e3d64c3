/** What steps and gates ask of pods and nodes. */
import { contains, parseAddress, parseCidr } from '../base/cidr.ts';
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

/** Verdicts by range list and address: the same pods are looked at every second of a restart. */
const known = new WeakMap<readonly string[], Map<string, boolean>>();

/** The pod has an address, and it is of the ranges given. */
export function hasAddressIn(pod: PodObject, cidrs: readonly string[]): boolean {
  const ip = pod.status.podIP;
  if (ip === undefined || ip === '') return false;
  let verdicts = known.get(cidrs);
  if (verdicts === undefined) known.set(cidrs, (verdicts = new Map()));
  let verdict = verdicts.get(ip);
  if (verdict === undefined) verdicts.set(ip, (verdict = isIn(ip, cidrs)));
  return verdict;
}

function isIn(ip: string, cidrs: readonly string[]): boolean {
  const address = parseAddress(ip);
  if (address === undefined) return false;
  return cidrs.some((text) => {
    const range = parseCidr(text);
    return range !== undefined && contains(range, address);
  });
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

const AGENT_LABELS = { 'k8s-app': 'cilium' } as const;

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
