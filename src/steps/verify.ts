/** A step that changes nothing: its gates are the proof. A node's own state is looked at once more. */
import { agentReady } from './restart-agent.ts';
import { selectedConf } from './node-conf.ts';
import { getNode, isNodeReady, isOnOldNetwork, podsOn, showPod } from './pods.ts';
import { fails, HOLDS, type StepContext, type StepModule, type Verdict } from './step-module.ts';

export const verify: StepModule<'verify'> = {
  observe: () => Promise.resolve('todo'),
  act: () => Promise.resolve(),
  async verify(context, { scope, nodes }) {
    if (scope === 'cluster') return HOLDS;
    for (const node of nodes) {
      const verdict = await nodeMoved(context, node);
      if (!verdict.holds) return verdict;
    }
    return HOLDS;
  },
  undo: () => null,
};

/** It is Ready, its agent serves, it gives pods the new network, and has none on the old one. */
export async function nodeMoved(
  context: Pick<StepContext, 'ports' | 'plan'>,
  name: string,
): Promise<Verdict> {
  const { kubernetes } = context.ports;
  if (!isNodeReady(await getNode(kubernetes, name))) return fails(`${name} is not Ready`);
  const agent = await agentReady(context, name);
  if (!agent.holds) return agent;
  const conf = await selectedConf(context.ports, context.plan, name);
  if (conf.network !== 'cilium')
    return fails(`${name} takes ${conf.file ?? 'no conf'}, not Cilium's`);
  const old = (await podsOn(kubernetes, name)).find((pod) => isOnOldNetwork(pod, context.plan));
  return old === undefined ? HOLDS : fails(`${showPod(old)} on ${name} is on the old network`);
}
