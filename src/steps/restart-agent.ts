/**
 * Deletes the Cilium agent's pod on a node, so that the new one reads the node's CiliumNodeConfig
 * (read only at pod start: cilium-dbg/cmd/build-config.go@main) and takes the node's CNI conf.
 */
import { agentsBeforeLabel } from './label-node.ts';
import { agentsOn, getNode, isReady } from './pods.ts';
import { selectedConf } from './node-conf.ts';
import {
  fails,
  HOLDS,
  type StepContext,
  type StepModule,
  verifyByObserving,
} from './step-module.ts';

export const restartAgent: StepModule<'restart-agent'> = {
  /** The node's files are looked at last: that takes three calls, and an agent takes a while to start. */
  async observe(context, { node }) {
    if (!(await agentReady(context, node)).holds) return 'todo';
    const conf = await selectedConf(context.ports, context.plan, node);
    return conf.network === 'cilium' ? 'done' : 'todo';
  },

  async act({ ports, plan }, { node }) {
    const before = agentsBeforeLabel(await getNode(ports.kubernetes, node));
    // An agent that came after the label has read it: deleting it would only hold the node up again.
    await deleteAgents({ ports, plan }, node, (uid) => before?.has(uid) ?? true);
  },

  verify: (context, action) =>
    verifyByObserving(
      restartAgent,
      context,
      action,
      'the agent has not taken over the CNI conf yet',
    ),

  undo: () => null,
};

export async function deleteAgents(
  { ports, plan }: Pick<StepContext, 'ports' | 'plan'>,
  node: string,
  isMeant: (uid: string) => boolean = () => true,
): Promise<void> {
  const { kubernetes } = ports;
  const agents = await agentsOn(kubernetes, plan, node);
  for (const { metadata } of agents) {
    if (metadata.deletionTimestamp !== undefined || !isMeant(metadata.uid ?? '')) continue;
    await kubernetes.delete({
      apiVersion: 'v1',
      kind: 'Pod',
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    });
  }
}

export async function agentReady(
  { ports, plan }: Pick<StepContext, 'ports' | 'plan'>,
  node: string,
) {
  const agents = await agentsOn(ports.kubernetes, plan, node);
  if (agents.some(isReady)) return HOLDS;
  return fails(
    agents.length === 0 ? `no Cilium agent on ${node}` : `the Cilium agent on ${node} is not ready`,
  );
}
