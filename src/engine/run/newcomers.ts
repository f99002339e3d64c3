/**
 * A node that joined, as the plan can take it in: like a worker that it knows. A control plane is more than
 * a node (etcd has one member more), and is nobody's like; such a node stays a stranger (`strangers`), as does
 * one whose runtime looks where the agents write no more.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { internalIpsOf, isControlPlane } from '../../model/node-object.ts';
import type { JoinedNode, Plan } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import { runtimeDirectories } from '../../steps/node-conf.ts';
import { begunSteps } from './evidence.ts';

/** A cluster that grows by more than this is another one than was planned for. */
const JOINED_MAX = 200;

/** Undefined where it cannot be taken in, or not yet: its address is not told. */
function newcomer(
  node: NodeObject,
  plan: Plan,
  present: ReadonlyMap<string, NodeObject>,
): JoinedNode | undefined {
  if (!isWorker(node) || (plan.joined?.length ?? 0) >= JOINED_MAX) return undefined;
  const internalIps = internalIpsOf(node);
  const like = modelFor(plan, present);
  if (like === undefined || internalIps.length === 0) return undefined;
  return { name: node.metadata.name, like, internalIps };
}

/** Rather one that is not the canary: its steps are those of every other node. */
function modelFor({ waves }: Plan, present: ReadonlyMap<string, NodeObject>): string | undefined {
  const [canary = [], ...others] = waves;
  return [...others.flat(), ...canary].find((name) => {
    const node = present.get(name);
    return node !== undefined && isWorker(node);
  });
}

/**
 * Where the runtime's directories move with the old CNI, the agents write in the new ones from a step on, and a
 * node that joins before the service of its system was told looks in the old ones.
 */
export async function looksElsewhere(plan: Plan, ports: Ports, node: string): Promise<boolean> {
  const { platform, steps } = plan;
  if (platform.afterOldCni === undefined) return false;
  const moves = steps.filter(
    ({ phase, action }) => phase === 'remove-old-cni' && action.kind === 'install-helm-release',
  );
  try {
    const begun = await begunSteps(plan, ports);
    if (!moves.some(({ id }) => begun.has(id))) return false;
    const { conf } = await runtimeDirectories(ports.nodeHost, platform, node);
    return conf === platform.cniConfDirectory;
  } catch (error) {
    if (error instanceof RegaugeError) return true;
    throw error;
  }
}

function isWorker(node: NodeObject): boolean {
  const { metadata, status } = node;
  const system =
    status.nodeInfo?.operatingSystem ?? metadata.labels?.['kubernetes.io/os'] ?? 'linux';
  return system === 'linux' && !isControlPlane(node);
}

/** Those of a list of nodes that the plan does not know and can take in, in the order of their names. */
export function newcomersIn(plan: Plan, nodes: readonly NodeObject[]): readonly JoinedNode[] {
  const known = new Set(plan.waves.flat());
  if (known.size === 0) return [];
  const present = new Map(nodes.map((node) => [node.metadata.name, node]));
  return nodes
    .filter(({ metadata }) => !known.has(metadata.name))
    .flatMap((node) => newcomer(node, plan, present) ?? [])
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}
