/**
 * cilium_vxlan on its port. A port that another UP device holds ends the agent and leaves the device
 * down; before 1.18.0 such a left-over then fails by itself, even with a free port told, until it is
 * deleted (cilium/cilium#38581, 9d1345783299; truth:P08-P10).
 */
import { atLeast } from '../../../base/versions.ts';
import type { KernelNetwork } from '../../network/kernel-network.ts';
import type { TunnelDemand } from './datapath.ts';

const FATAL =
  'failed to start: daemon creation failed: error while initializing daemon: failed while reinitializing datapath: failed to setup vxlan tunnel device: setting up vxlan device: ';
const IN_USE = 'setting up device cilium_vxlan: address already in use';

/** Undefined when the device is up; else the agent's last words and who holds the port. */
export function setUpTunnelDevice(
  network: KernelNetwork,
  demand: TunnelDemand,
  version: string,
): { readonly message: string; readonly holder: string } | undefined {
  const { port, protocol } = demand;
  if (protocol === 'geneve') {
    network.setVxlanLink('cilium_geneve', { port, up: true });
    return undefined;
  }
  const leftOver = network.vxlanLink('cilium_vxlan');
  if (leftOver?.up === false && !atLeast(version, '1.18.0')) {
    const holder = network.holderOfPort(leftOver.port, 'cilium_vxlan');
    if (holder !== undefined) return { message: `${FATAL}${IN_USE}`, holder };
  }
  const holder = network.holderOfPort(port, 'cilium_vxlan');
  if (holder === undefined) {
    network.setVxlanLink('cilium_vxlan', { port, up: true });
    return undefined;
  }
  const recreating = leftOver !== undefined && leftOver.port !== port;
  network.setVxlanLink('cilium_vxlan', { port, up: false });
  const step = recreating ? 'recreating vxlan device cilium_vxlan: ' : '';
  return { message: `${FATAL}${step}${IN_USE}`, holder };
}
