/**
 * From a CoreDNS pod to its upstream. On Talos with forwardKubeDNSToHost that upstream is an address
 * on the node's own `lo`; a Cilium pod under BPF host routing does not reach it, by eras of the agent
 * (cilium-and-flannel.md 5): native routing, until local routes were handed to the stack (4415e131:
 * 1.18.2); tunnel routing, from 1.16.5 (2932ac49dba2, cilium/cilium#36761) until the same change.
 */
import { atLeast } from '../../base/versions.ts';
import type { PathVerdict } from '../world.ts';
import type { CiliumState } from './kernel-network.ts';
import { HOST_DNS_ADDRESS, settingsOf } from './node-settings.ts';
import { toOutside } from './overlays.ts';
import type { Place } from './places.ts';
import { arrives, lost } from './verdict.ts';

export function toUpstream(server: Place): PathVerdict {
  const uid = server.pod?.metadata.uid ?? '';
  if (server.network.resolvers.get(uid) !== HOST_DNS_ADDRESS) return toOutside(server);
  const timeout = `read udp ${server.attachment?.ip ?? server.node.address}->${HOST_DNS_ADDRESS}:53: i/o timeout`;
  if (!settingsOf(server.node).forwardsDnsToHost) {
    return lost(`${timeout}: host DNS of ${server.node.name} does not listen there any more`);
  }
  const { cilium, upstreamLosses } = server.network;
  const told = upstreamLosses.get(uid);
  if (
    server.attachment?.network === 'cilium' &&
    cilium !== undefined &&
    passesHostByMistake(cilium)
  ) {
    return lost(timeout, told === undefined ? cilium.takenOver.routing : [told]);
  }
  return arrives(server.attachment?.ip ?? server.node.address);
}

function passesHostByMistake({ hostRouting, routing, version }: CiliumState): boolean {
  if (hostRouting !== 'bpf' || atLeast(version, '1.18.2')) return false;
  return routing === 'native' || atLeast(version, '1.16.5');
}
