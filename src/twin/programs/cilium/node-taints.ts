/**
 * The operator's marks on nodes: takes `agent-not-ready` away once a node's agent is ready, puts it
 * on when an agent is scheduled but does not run, and says CiliumIsUp
 * (C@main:operator/watchers/node_taint.go; cilium-and-flannel.md 7).
 */
import type { PodObject } from '../../../model/kubernetes.ts';
import type { World } from '../../world.ts';
import { isReady } from '../../network/service-table.ts';
import { hubOf } from '../hub.ts';
import type { Life } from '../life.ts';
import { removeTaint, setNodeCondition, setTaint } from '../node-conditions.ts';
import type { AgentConfig } from './agent-config.ts';

const DEFAULT_KEY = 'node.cilium.io/agent-not-ready';

export function markNodes(world: World, life: Life, config: AgentConfig): void {
  const key = config['agent-not-ready-taint-key'] ?? DEFAULT_KEY;
  const removes = config['remove-cilium-node-taints'] === 'true';
  const sets = config['set-cilium-node-taints'] === 'true';
  const tells = config['set-cilium-is-up-condition'] === 'true';
  const mark = (pod: PodObject): void => {
    const node = pod.spec.nodeName;
    if (node === undefined) return;
    if (isReady(pod)) {
      if (removes) removeTaint(world, node, key);
      if (tells) setNodeCondition(world, node, CILIUM_IS_UP);
    } else if (sets) {
      setTaint(world, node, { key, effect: 'NoSchedule' });
    }
  };
  for (const pod of world.store.list('Pod', 'kube-system')) {
    if (pod.metadata.labels?.['k8s-app'] === 'cilium') mark(pod);
  }
  life.onEnd(
    hubOf(world).follow('Pod', { label: 'k8s-app=cilium' }, ({ type, object }) => {
      if (type !== 'deleted') mark(object);
    }),
  );
}

const CILIUM_IS_UP = {
  type: 'NetworkUnavailable',
  status: 'False',
  reason: 'CiliumIsUp',
  message: 'Cilium is running on this node',
} as const;
