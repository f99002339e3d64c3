/**
 * What a run that has stopped lets go: the cordons that keep pods off nodes which have not moved. They
 * serve the run alone; left behind, they would make any later failure of a node worse than it is,
 * since its pods could go nowhere. A node in the middle of its move stays cordoned. A run that goes on
 * sets them again (evidence.ts).
 */
import type { Plan } from '../../model/plan.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Ports } from '../../ports/index.ts';
import { CORDON_MARK, setSchedulable } from '../../steps/cordon.ts';

/** Names of the nodes that were opened. Throws as the port does. */
export async function releaseHeld(
  plan: Plan,
  { kubernetes }: Ports,
  reached: ReadonlySet<string>,
): Promise<readonly string[]> {
  const labels = new Map<string, string>();
  for (const { id, action } of plan.steps) {
    if (!reached.has(id) || action.kind !== 'cordon' || action.exceptLabel === undefined) continue;
    for (const node of action.nodes) labels.set(node, action.exceptLabel);
  }
  if (labels.size === 0) return [];
  const opened: string[] = [];
  for (const node of await kubernetes.list<NodeObject>('v1', 'Node')) {
    const { name } = node.metadata;
    const label = labels.get(name);
    if (label === undefined || node.metadata.labels?.[label] !== undefined) continue;
    if (!isHeldBy(node, plan)) continue;
    await setSchedulable(kubernetes, name, null);
    opened.push(name);
  }
  return opened;
}

function isHeldBy(node: NodeObject, plan: Plan): boolean {
  return node.spec.unschedulable === true && node.metadata.annotations?.[CORDON_MARK] === plan.id;
}
