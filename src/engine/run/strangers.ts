/**
 * Nodes that joined and cannot be taken in: control planes, mostly. No step moves them and no gate looks at
 * them, so what takes every node for moved must not happen while pods of theirs are on the old network.
 */
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Plan, Step } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import { isOnOldNetwork, podsOn } from '../../steps/pods.ts';

/** Why the step must not start; undefined when no node is in its way. */
export async function strangersBefore(
  step: Step,
  plan: Plan,
  { kubernetes }: Ports,
): Promise<string | undefined> {
  if (!takesAllForMoved(step) || plan.waves.length === 0) return undefined;
  const known = new Set(plan.waves.flat());
  const nodes = await kubernetes.list<NodeObject>('v1', 'Node');
  for (const { metadata } of nodes.filter((node) => !known.has(node.metadata.name))) {
    const { name } = metadata;
    const old = (await podsOn(kubernetes, name)).filter((pod) => isOnOldNetwork(pod, plan));
    if (old.length > 0)
      return plan.platform.afterOldCni !== undefined
        ? `${name} joined, cannot be moved by this run, and has ${old.length} pods on the old network: drain it, take it out of the cluster, resume, and let it join when the run is through`
        : `${name} joined after the plan was made and has ${old.length} pods on the old network: label it for Cilium as the other nodes were, restart its Cilium agent, drain it, and resume`;
  }
  return undefined;
}

function takesAllForMoved({ pointOfNoReturn, phase, gates }: Step): boolean {
  const isAfterMoves = phase !== 'move-nodes' && gates.some(({ kind }) => kind === 'no-old-pods');
  return pointOfNoReturn || isAfterMoves;
}
