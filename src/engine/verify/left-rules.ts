/**
 * What programs that run no more left in the packet filters of nodes. Whose program runs has its rules there
 * by right; of a node that cannot be asked, nothing is said to be gone. It is told, and is no verdict: paths
 * say for themselves whether it hurts.
 */
import { k3sArguments, k3sNetwork } from '../../knowledge/k3s.ts';
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import { RULES_OWNERS, type RulesOwner } from '../../model/plan.ts';
import type { LeftRules } from '../../model/verification.ts';
import type { KubernetesReads, NodeHostPort } from '../../ports/index.ts';
import { inParallel, NODES_AT_A_TIME } from '../../steps/waiting.ts';

/** Undefined where no Cilium is: it is too early to ask, and there is nobody to ask through. */
export async function leftRules(
  kubernetes: KubernetesReads,
  nodeHost: Pick<NodeHostPort, 'leftRules'>,
): Promise<LeftRules | undefined> {
  const agents = await kubernetes.list<PodObject>('v1', 'Pod', { labelSelector: 'k8s-app=cilium' });
  if (agents.length === 0) return undefined;
  const nodes = await kubernetes.list<NodeObject>('v1', 'Node');
  const running = await ownersRunning(kubernetes, nodes);
  const owners = RULES_OWNERS.filter((owner) => !running.has(owner));
  if (owners.length === 0) return undefined;
  const found: { readonly node: string; readonly rules: readonly string[] }[] = [];
  const unread: { readonly node: string; readonly message: string }[] = [];
  await inParallel(nodes, NODES_AT_A_TIME, async ({ metadata: { name: node } }) => {
    try {
      const rules = await nodeHost.leftRules(node, owners);
      if (rules.length > 0) found.push({ node, rules });
    } catch (error) {
      unread.push({ node, message: error instanceof Error ? error.message : String(error) });
    }
  });
  return { owners, nodes: byName(found), unread: byName(unread) };
}

/** By the labels of their charts and manifests; in K3s two of them are parts of its process. */
async function ownersRunning(
  kubernetes: KubernetesReads,
  nodes: readonly NodeObject[],
): Promise<ReadonlySet<RulesOwner>> {
  const running = new Set<RulesOwner>();
  for (const node of nodes) {
    const args = k3sArguments(node);
    if (args?.role !== 'server') continue;
    const { flannelBackend, networkPolicy } = k3sNetwork(args);
    if (flannelBackend !== 'none') running.add('flannel');
    if (networkPolicy) running.add('kube-router');
  }
  for (const [labelSelector, owners] of SELECTORS) {
    const pods = await kubernetes.list<PodObject>('v1', 'Pod', { labelSelector });
    if (pods.length > 0) for (const owner of owners) running.add(owner);
  }
  return running;
}

const SELECTORS: readonly (readonly [string, readonly RulesOwner[]])[] = [
  ['k8s-app=flannel', ['flannel']],
  ['app=flannel', ['flannel']],
  ['k8s-app=canal', ['flannel', 'calico']],
  ['k8s-app=calico-node', ['calico']],
  ['k8s-app=kube-router', ['kube-router']],
];

function byName<T extends { readonly node: string }>(entries: readonly T[]): readonly T[] {
  return entries.toSorted((left, right) => (left.node < right.node ? -1 : 1));
}
