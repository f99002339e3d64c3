/**
 * Gives a node back to the old CNI: the label goes, the agent restarts without its per-node
 * configuration, the old conf file gets its name back, the new one is removed, the pods restart.
 * Neither the chart nor `cni-uninstall.sh` restores a `.cilium_bak` (cilium plugins/cilium-cni).
 */
import { CILIUM_CONF } from '../knowledge/node-paths.ts';
import { NO_MARKS } from './label-node.ts';
import { agentReady, deleteAgents } from './restart-agent.ts';
import { selectedConf } from './node-conf.ts';
import { hasAddressIn, podsOn } from './pods.ts';
import { restartOldPods } from './restart-pods.ts';
import { savedConfs } from './back-up.ts';
import { type ActionOf, fails, HOLDS, type StepContext, type StepModule } from './step-module.ts';
import { uncordon } from './cordon.ts';
import { waitUntil } from './waiting.ts';

/** What a flanneld that has just started may take to write its conf; then it comes from the back-up. */
const WRITER_MS = 60_000;

export const returnNode: StepModule<'return-node'> = {
  async observe(context, { node }) {
    const conf = await selectedConf(context.ports, context.plan, node);
    return conf.network === 'cilium' || (await newPods(context, node)) > 0 ? 'todo' : 'done';
  },

  async act(context, action) {
    const { ports, deadline } = context;
    const { node, label } = action;
    await ports.kubernetes.patch(
      { apiVersion: 'v1', kind: 'Node', name: node },
      { metadata: { labels: { [label]: null }, annotations: NO_MARKS } },
    );
    const conf = await selectedConf(ports, context.plan, node);
    if (conf.network === 'cilium') {
      await deleteAgents(context, node);
      const ready = await waitUntil(ports.clock, deadline, () => agentReady(context, node));
      if (!ready.holds) throw new Error(ready.message);
      await restoreConf(context, node, action);
    }
    // Before its pods go: where every node is on the new network, they can come back here only.
    await uncordon.act(context, { kind: 'uncordon', nodes: [node] });
    await restartOldPods(context, action, 'old');
  },

  async verify(context, { node }) {
    const left = await newPods(context, node);
    return left === 0 ? HOLDS : fails(`${left} pods of ${node} are on the new network still`);
  },

  undo: () => null,
};

async function newPods({ ports, plan }: StepContext, node: string): Promise<number> {
  const pods = await podsOn(ports.kubernetes, node);
  return pods.filter((pod) => pod.spec.hostNetwork !== true && hasAddressIn(pod, plan.to.podCidrs))
    .length;
}

/** The old conf first, so that the node is never without one; its writer may only just have started. */
async function restoreConf(
  { ports, plan, deadline, backups }: StepContext,
  node: string,
  { oldConf, backup }: ActionOf<'return-node'>,
): Promise<void> {
  const directory = plan.platform.cniConfDirectory;
  const parked = `${oldConf}.cilium_bak`;
  const saved = backup === undefined ? undefined : savedConfs(await backups.read(backup), node);
  const entries = async () => (await ports.nodeHost.list(node, directory)) ?? [];
  const patience = saved === undefined ? deadline : ports.clock.now() + WRITER_MS;
  const found = await waitUntil(ports.clock, Math.min(deadline, patience), async () => {
    const names = await entries();
    return names.includes(oldConf) || names.includes(parked)
      ? HOLDS
      : fails(`${node} has neither ${oldConf} nor ${parked} to go back to`);
  });
  const text = saved?.files[oldConf];
  if (!found.holds && text === undefined) throw new Error(found.message);
  if (!found.holds && text !== undefined)
    await ports.nodeHost.write(node, `${directory}/${oldConf}`, text, 0o644);
  const names = await entries();
  if (!names.includes(oldConf))
    await ports.nodeHost.rename(node, `${directory}/${parked}`, `${directory}/${oldConf}`);
  if (names.includes(CILIUM_CONF)) await ports.nodeHost.remove(node, `${directory}/${CILIUM_CONF}`);
}
