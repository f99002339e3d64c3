/**
 * Notes when a node that an agent serves still gives new pods to another network: the runtime chose
 * another conf than the agent's. A fact only: while Cilium is secondary, it is meant to be so.
 */
import type { ProcessHost } from '../../world.ts';
import { fabricOf } from '../../network/fabric.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { podWatchOf } from '../attachment-watch.ts';
import type { Life } from '../life.ts';

export function watchSelection(host: ProcessHost, life: Life): void {
  const { world, node } = host;
  const network = networkOf(node);
  const stop = podWatchOf(fabricOf(world)).follow(node.name, (podUid) => {
    const attachment = network.attachmentOf(podUid);
    if (attachment === undefined || attachment.network === 'cilium') return;
    stop();
    world.kernel.because(world.kernel.causes, () =>
      world.kernel.occur('cni.old-conf-selected', {
        node: node.name,
        message: `a new pod on ${node.name} got ${attachment.ip} of ${attachment.network} although cilium-agent serves there`,
        because: network.why('cilium'),
      }),
    );
  });
  life.onEnd(stop);
}
