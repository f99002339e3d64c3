/**
 * Nodes that have not moved are held back from new pods, so that each pod restarts once. That serves the
 * run alone: when pods find no room for it, or the run stops, they are opened. A node in the middle of its
 * move stays closed; one that is prepared for it gives new pods the new network already, and is opened with
 * the others. A run that goes on closes those that were not.
 */
import type { NodeObject, PodObject } from '../model/kubernetes.ts';
import type { Plan } from '../model/plan.ts';
import type { KubernetesPort } from '../ports/index.ts';
import { CORDON_MARK, setSchedulable } from './cordon.ts';
import { agentsBeforeLabel } from './label-node.ts';
import { agentsOn, isNodeReady, isReady } from './pods.ts';

/** Names of the nodes that were opened. Throws as the port does. */
export async function openHeldNodes(
  plan: Plan,
  kubernetes: KubernetesPort,
): Promise<readonly string[]> {
  const labels = new Map<string, string>();
  for (const { action } of plan.steps) {
    if (action.kind !== 'cordon' || action.exceptLabel === undefined) continue;
    for (const node of action.nodes) labels.set(node, action.exceptLabel);
  }
  if (labels.size === 0) return [];
  const opened: string[] = [];
  for (const node of await kubernetes.list<NodeObject>('v1', 'Node')) {
    const { name } = node.metadata;
    const label = labels.get(name);
    if (label === undefined || !isHeldBy(node, plan)) continue;
    const isBegun = node.metadata.labels?.[label] !== undefined;
    if (isBegun && !(isPreparable(node, plan) && (await isPrepared(node, plan, kubernetes))))
      continue;
    await setSchedulable(kubernetes, name, null);
    opened.push(name);
  }
  return opened;
}

/** Not the canary, which opens when it was tried; nor where nodes stay closed for a reboot. */
function isPreparable({ metadata: { name } }: NodeObject, { waves, steps }: Plan): boolean {
  if (waves[0]?.includes(name) !== false) return false;
  return steps.some(
    ({ phase, action }) =>
      phase === 'move-nodes' && action.kind === 'uncordon' && action.nodes.includes(name),
  );
}

/** Its agent has read the label, and works. */
async function isPrepared(
  node: NodeObject,
  plan: Plan,
  kubernetes: KubernetesPort,
): Promise<boolean> {
  const before = agentsBeforeLabel(node);
  if (before === undefined || !isNodeReady(node)) return false;
  const agents = await agentsOn(kubernetes, plan, node.metadata.name);
  return agents.some((agent) => isReady(agent) && !before.has(agent.metadata.uid ?? ''));
}

function isHeldBy({ spec, metadata }: NodeObject, plan: Plan): boolean {
  return spec.unschedulable === true && metadata.annotations?.[CORDON_MARK] === plan.id;
}

/** A pod that no node takes, some of them because they are cordoned; undefined when there is none. */
export async function podWithoutRoom(kubernetes: KubernetesPort): Promise<PodObject | undefined> {
  const pending = await kubernetes.list<PodObject>('v1', 'Pod', {
    fieldSelector: { 'status.phase': 'Pending' },
  });
  return pending.find(
    ({ spec, status }) =>
      spec.nodeName === undefined &&
      status.conditions?.some(
        ({ type, status: isScheduled, message = '' }) =>
          type === 'PodScheduled' && isScheduled === 'False' && CORDONED.test(message),
      ),
  );
}

/** The scheduler's words for a cordoned node (KK nodeunschedulable ErrReasonUnschedulable). */
const CORDONED = /node\(s\) were unschedulable/;
