/** Gates on nodes: Ready, addresses as they were, the CNI conf the runtime takes. */
import type { NodeObject } from '../../model/kubernetes.ts';
import { internalIpsOf } from '../../model/node-object.ts';
import { selectedConf } from '../../steps/node-conf.ts';
import { getNode, isNodeReady, isOnOldNetwork, podsOn, showPod } from '../../steps/pods.ts';
import { agentReady } from '../../steps/restart-agent.ts';
import { fails, HOLDS, type Verdict } from '../../steps/step-module.ts';
import { inParallel, NODES_AT_A_TIME } from '../../steps/waiting.ts';
import type { GateModule } from './gate-context.ts';

/** More nodes than this are asked for in one list. */
const FEW_NODES = 4;

export const nodesReady: GateModule<'nodes-ready'> = async (context, gate) => {
  const { ports, plan } = context;
  const nodes = gate.nodes.length === 0 ? plan.waves.flat() : gate.nodes;
  if (nodes.length <= FEW_NODES)
    return everyNode(nodes, async (name) => ready(name, await getNode(ports.kubernetes, name)));
  const listed = await context.nodes.look();
  const away = nodes.find((name) => !isNodeReady(listed.get(name)));
  return away === undefined ? HOLDS : ready(away, listed.get(away));
};

function ready(name: string, node: NodeObject | undefined): Verdict {
  return isNodeReady(node) ? HOLDS : fails(`${name} is not Ready${reasonOf(node)}`);
}

export const agentsReady: GateModule<'agents-ready'> = (context, { nodes }) =>
  everyNode(nodes, (name) => agentReady(context, name));

export const noOldPods: GateModule<'no-old-pods'> = ({ ports, plan }, { nodes }) =>
  everyNode(nodes, async (name) => {
    const old = (await podsOn(ports.kubernetes, name)).filter((pod) => isOnOldNetwork(pod, plan));
    return old.length === 0
      ? HOLDS
      : fails(
          `${old.length} pods of ${name} are on the old network: ${old.slice(0, 3).map(showPod).join(', ')}`,
        );
  });

/** A program that runs still writes its rules again within seconds (calico#12920, FM-44). */
export const rulesGone: GateModule<'rules-gone'> = ({ ports }, { nodes, owners }) =>
  everyNode(nodes, async (name) => {
    const [first] = await ports.nodeHost.leftRules(name, owners);
    return first === undefined ? HOLDS : fails(`${name} has ${first}`);
  });

export const nodeAddressesUnchanged: GateModule<'node-addresses-unchanged'> = (
  { ports },
  { nodes, expected },
) =>
  everyNode(nodes, async (name) => {
    const node = await getNode(ports.kubernetes, name);
    const now = node === undefined ? [] : internalIpsOf(node);
    const before = expected[name] ?? [];
    if (before.length === now.length && before.every((ip) => now.includes(ip))) return HOLDS;
    return fails(
      `${name} had ${before.join(', ')} as InternalIP and has ${now.join(', ') || 'none'} now`,
    );
  });

/**
 * The conf the runtime takes now, and after a reboot now: a directory that a reboot empties is
 * filled again by the agent, so the agent must be there and ready.
 */
export const confSelected: GateModule<'conf-selected'> = async (
  context,
  { node, network, directories },
) => {
  const conf = await selectedConf(context.ports, context.plan, node, directories);
  if (conf.network !== network) {
    return fails(
      `${node} takes ${conf.file ?? 'no conf'}${conf.file === undefined ? '' : ` (${conf.network})`}, not ${network}`,
    );
  }
  if (!conf.binaryPresent)
    return fails(
      `${node} takes ${conf.file ?? ''}, and its plugin is not in ${directories?.bin ?? context.plan.platform.cniBinDirectory}`,
    );
  if (network === 'cilium' && context.plan.platform.confDirectoryVolatile)
    return agentReady(context, node);
  return HOLDS;
};

/** Not all at once: an API server answers for a thousand nodes too. */
async function everyNode(
  nodes: readonly string[],
  test: (node: string) => Promise<Verdict>,
): Promise<Verdict> {
  let verdict: Verdict = HOLDS;
  await inParallel(nodes, NODES_AT_A_TIME, async (node) => {
    if (!verdict.holds) return;
    const own = await test(node);
    if (!own.holds && verdict.holds) verdict = own;
  });
  return verdict;
}

function reasonOf(node: NodeObject | undefined): string {
  if (node === undefined) return ': there is no such node';
  const ready = node.status.conditions?.find((condition) => condition.type === 'Ready');
  return ready?.message === undefined ? '' : `: ${ready.message}`;
}
