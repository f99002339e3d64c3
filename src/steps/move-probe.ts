/**
 * The canary: of all pods of a node, the probe moves to the new network first. It is a plain pod on the pod
 * network, so what it meets there is what workloads would, and nobody misses it.
 */
import { PROBE_NAME, PROBE_NAMESPACE } from '../knowledge/probes/objects.ts';
import type { PodObject } from '../model/kubernetes.ts';
import type { Plan } from '../model/plan.ts';
import type { Ports } from '../ports/index.ts';
import { hasAddressIn, isOnOldNetwork, isReady } from './pods.ts';
import { fails, HOLDS, type StepModule, type Verdict } from './step-module.ts';

export const moveProbe: StepModule<'move-probe'> = {
  async observe({ ports, plan }, { node }) {
    return (await probeMoved(ports, plan, node)).holds ? 'done' : 'todo';
  },

  async act({ ports, plan }, { node }) {
    for (const pod of await probesOn(ports, node)) {
      if (pod.metadata.deletionTimestamp !== undefined || !isOnOldNetwork(pod, plan)) continue;
      const { name, namespace = PROBE_NAMESPACE } = pod.metadata;
      await ports.kubernetes.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name });
    }
  },

  verify: ({ ports, plan }, { node }) => probeMoved(ports, plan, node),

  undo: () => null,
};

/** A probe of the node is on the new network and ready. */
export async function probeMoved(ports: Ports, plan: Plan, node: string): Promise<Verdict> {
  const probes = await probesOn(ports, node);
  if (probes.some((pod) => isReady(pod) && hasAddressIn(pod, plan.to.podCidrs))) return HOLDS;
  const [pod] = probes;
  if (pod === undefined) return fails(`no probe runs on ${node}`);
  return fails(
    isOnOldNetwork(pod, plan)
      ? `the probe of ${node} is on the old network still`
      : `the probe of ${node} is not ready on the new network yet`,
  );
}

function probesOn({ kubernetes }: Ports, node: string): Promise<readonly PodObject[]> {
  return kubernetes.list<PodObject>('v1', 'Pod', {
    namespace: PROBE_NAMESPACE,
    nodeName: node,
    labelSelector: { app: PROBE_NAME },
  });
}
