/**
 * Lets a CiliumNodeConfig count on a node, or no more: sets its label and restarts the agent, which
 * reads its configuration only when its pod starts (cilium-dbg/cmd/build-config.go@main). The label
 * and the agent that ran when it was set are written in one go, so that a run that was killed in
 * between knows which agent has not read it yet.
 */
import type { NodeObject } from '../model/kubernetes.ts';
import { agentsOn, getNode, isReady } from './pods.ts';
import { deleteAgents } from './restart-agent.ts';
import {
  type ActionOf,
  type StepContext,
  type StepModule,
  verifyByObserving,
} from './step-module.ts';

/** Annotation of a node: `<label>=<true|null>:<uids of the agents that had not read it>`. */
export const RECONFIGURED_MARK = 'regauge.dev/agent-reconfigured';

type Reconfigure = ActionOf<'reconfigure-agent'>;

export const reconfigureAgent: StepModule<'reconfigure-agent'> = {
  async observe(context, action) {
    const { ports, plan } = context;
    const node = await getNode(ports.kubernetes, action.node);
    if (node === undefined) return { blocked: `there is no node ${action.node}` };
    const before = agentsBefore(node, action);
    if (before === undefined) return 'todo';
    const agents = await agentsOn(ports.kubernetes, plan, action.node);
    const read = agents.filter((agent) => !before.has(agent.metadata.uid ?? ''));
    return read.some(isReady) ? 'done' : 'todo';
  },

  async act(context, action) {
    const node = await getNode(context.ports.kubernetes, action.node);
    const before = agentsBefore(node, action) ?? (await markNode(context, action));
    await deleteAgents(context, action.node, (uid) => before.has(uid));
  },

  verify: (context, action) =>
    verifyByObserving(
      reconfigureAgent,
      context,
      action,
      `the agent of ${action.node} is not back with its new configuration yet`,
    ),

  undo: (action) => ({ ...action, selected: !action.selected }),
};

/** Which agents had not read the setting when it was made; undefined when it was not made. */
function agentsBefore(
  node: NodeObject | undefined,
  { label, selected }: Reconfigure,
): ReadonlySet<string> | undefined {
  const { labels, annotations } = node?.metadata ?? {};
  if ((labels?.[label] === 'true') !== selected) return undefined;
  const mark = annotations?.[RECONFIGURED_MARK];
  const prefix = prefixOf(label, selected);
  if (mark?.startsWith(prefix) !== true) return undefined;
  return new Set(mark.slice(prefix.length).split(','));
}

async function markNode(
  { ports, plan }: StepContext,
  { node, label, selected }: Reconfigure,
): Promise<ReadonlySet<string>> {
  const agents = await agentsOn(ports.kubernetes, plan, node);
  const uids = agents.map(({ metadata }) => metadata.uid ?? '');
  await ports.kubernetes.patch(
    { apiVersion: 'v1', kind: 'Node', name: node },
    {
      metadata: {
        labels: { [label]: selected ? 'true' : null },
        annotations: { [RECONFIGURED_MARK]: `${prefixOf(label, selected)}${uids.join(',')}` },
      },
    },
  );
  return new Set(uids);
}

function prefixOf(label: string, selected: boolean): string {
  return `${label}=${selected ? 'true' : 'null'}:`;
}
