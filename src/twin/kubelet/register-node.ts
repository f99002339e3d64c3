/**
 * A kubelet that starts and finds no Node of its name creates it (KK pkg/kubelet/kubelet_node_status.go,
 * tryRegisterWithAPIServer): with what its configuration says of it, not Ready, and so with the taint that
 * admission adds (KK plugin/pkg/admission/nodetaint). A Node that is deleted later does not come back by itself.
 */
import type { NodeObject } from '../../model/kubernetes.ts';
import { NOT_READY } from '../api/pod-admission.ts';
import { type KubeletContext, whenApiAnswers } from './kubelet-context.ts';
import { networkNotReadyText, readyOf } from './node-condition.ts';

export function registerNode(context: KubeletContext): void {
  const { registersAs, startedAt, world } = context;
  if (registersAs === undefined) return;
  whenApiAnswers(world, () => {
    if (context.running && context.startedAt === startedAt) createNode(context, registersAs);
  });
}

function createNode({ world, nodeName, node }: KubeletContext, registersAs: NodeObject): void {
  const { store, kernel } = world;
  if (store.get('Node', undefined, nodeName) !== undefined) return;
  const message = networkNotReadyText(node.runtime.networkStatus());
  const { spec, status } = registersAs;
  kernel.occur('node.registered', {
    node: nodeName,
    subject: { kind: 'Node', name: nodeName },
    message: `kubelet of ${nodeName} registered a Node that was not there`,
  });
  store.create<NodeObject>({
    ...registersAs,
    spec: { ...spec, taints: [...(spec.taints ?? []), { key: NOT_READY, effect: 'NoSchedule' }] },
    status: {
      ...status,
      conditions: [
        ...(status.conditions ?? []),
        readyOf('False', 'KubeletNotReady', message, store.timestamp()),
      ],
    },
  });
}
