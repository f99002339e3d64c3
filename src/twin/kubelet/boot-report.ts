/** What a kubelet tells when it starts on a machine that has booted: events, and the boot on its Node. */
import type { KubeletContext } from './kubelet-context.ts';

export function reportBoot(context: KubeletContext): void {
  const {
    nodeName,
    node,
    world: { store },
  } = context;
  const { bootId } = node.machine;
  const subject = { kind: 'Node', name: nodeName };
  const common = { subject, component: 'kubelet', host: nodeName } as const;
  context.events.record({
    ...common,
    type: 'Normal',
    reason: 'Starting',
    message: 'Starting kubelet.',
  });
  const known = store.get('Node', undefined, nodeName);
  if (known === undefined || known.status.nodeInfo?.bootID === bootId) return;
  const message = `Node ${nodeName} has been rebooted, boot id: ${bootId}`;
  context.events.record({ ...common, type: 'Warning', reason: 'Rebooted', message });
  store.update('Node', undefined, nodeName, (object) => ({
    ...object,
    status: { ...object.status, nodeInfo: { ...object.status.nodeInfo, bootID: bootId } },
  }));
}
