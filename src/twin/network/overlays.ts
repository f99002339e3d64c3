/**
 * Packets between two places: out of the source's attachment, over flannel.1 or cilium_vxlan or the
 * plain underlay, into the destination's attachment. The two overlays are not isolated: they meet in
 * the hosts' routing stacks (truth:P05), unless BPF host routing goes past those stacks
 * (cilium-and-flannel.md 1, 5).
 */
import { contains, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { PathVerdict } from '../world.ts';
import type { KernelNetwork, TunnelDevice } from './kernel-network.ts';
import type { PeerTables } from './peer-tables.ts';
import { addressOf, type Place } from './places.ts';
import { arrives, lost } from './verdict.ts';

type Loss = PathVerdict & { readonly ok: false };

/** Whether packets from one place reach the other and answers come back; `sourceSeen` as received. */
export function between(peers: PeerTables, from: Place, to: Place): PathVerdict {
  const leaving = leave(from) ?? leave(to);
  if (leaving !== undefined) return leaving;
  const crossing = cross(peers, from, to);
  if (crossing !== undefined) return crossing;
  const translated = isTranslated(from, to);
  if (from.node !== to.node && !translated) {
    const answer = cross(peers, to, from);
    if (answer !== undefined) return answer;
  }
  return arrives(translated ? from.node.address : addressOf(from));
}

/** Out to the world and back: pods need somebody to translate their addresses. */
export function toOutside(from: Place): PathVerdict {
  const leaving = leave(from);
  if (leaving !== undefined) return leaving;
  const { attachment, network, node } = from;
  if (attachment === undefined || attachment.network === 'bridge') return arrives(node.address);
  if (attachment.network === 'flannel' && network.flannel?.masquerade !== true) {
    return lost(
      `${node.name} has no masquerade rule of flannel: packets leave with ${attachment.ip}`,
      network.why('flannel'),
    );
  }
  if (attachment.network === 'cilium' && network.cilium?.masquerade === 'none') {
    return lost(`Cilium does not masquerade on ${node.name}`, network.why('cilium'));
  }
  return arrives(node.address);
}

/** Why the place's own wire is dead; undefined when it is not. */
function leave({ attachment, network, node }: Place): Loss | undefined {
  if (attachment === undefined) return undefined;
  if (attachment.network === 'cilium') {
    if (network.cilium !== undefined) return undefined;
    return lost(`no Cilium programs are loaded on ${node.name}`, network.why('cilium'));
  }
  const { hostLink } = attachment;
  if (hostLink !== undefined) {
    if (network.hasLink(hostLink)) return undefined;
    return lost(`${hostLink}, the end of ${attachment.ip} on ${node.name}, is gone`);
  }
  if (network.hasLink('cni0') && !network.isOrphan(attachment.podUid)) return undefined;
  return lost(`the bridge cni0 of ${attachment.ip} is gone on ${node.name}`, network.why('cni0'));
}

function cross(peers: PeerTables, from: Place, to: Place): Loss | undefined {
  const stack = hostStack(from, to);
  if (stack !== undefined) return stack;
  if (from.node === to.node || to.attachment === undefined) return undefined;
  switch (to.attachment.network) {
    case 'flannel':
      return overFlannel(peers, from, to);
    case 'cilium':
      return overCilium(peers, from, to);
    case 'bridge':
      return lost(
        `no route to ${to.attachment.ip}: a plain bridge on ${to.node.name} is not routed`,
      );
  }
}

/**
 * A Cilium pod reaches what is behind other links through the host's stack only: with BPF host
 * routing its packets never see those routes (k8s-install-migration.rst, bpf.hostLegacyRouting).
 */
function hostStack(from: Place, to: Place): Loss | undefined {
  if (from.attachment?.network !== 'cilium') return undefined;
  if (to.attachment === undefined || to.attachment.network === 'cilium') return undefined;
  if (from.network.cilium?.hostRouting !== 'bpf') return undefined;
  return lost(
    `BPF host routing on ${from.node.name} passes the host's routes by: ${to.attachment.ip} is not reached`,
    from.network.cilium.takenOver.oldNetwork,
  );
}

function overFlannel(peers: PeerTables, from: Place, to: Place): Loss | undefined {
  const own = from.network.flannel;
  if (own === undefined) {
    return lost(
      `${from.node.name} has no route to ${to.attachment?.ip ?? ''}: flannel is not set up there`,
      from.network.why('flannel'),
    );
  }
  const lease = peers.leases.get(to.node.name, own.peers);
  if (lease === undefined || lease.address !== to.node.address) {
    return lost(`flannel on ${from.node.name} does not know ${to.node.name}`, [
      ...from.network.why('flannel'),
      ...to.network.why('flannel'),
    ]);
  }
  if (own.backend !== 'vxlan') return undefined;
  const device = deviceDown(from, 'flannel.1') ?? deviceDown(to, 'flannel.1');
  if (device !== undefined) return device;
  return portsDiffer(from, to, 'flannel.1');
}

function overCilium(peers: PeerTables, from: Place, to: Place): Loss | undefined {
  const own = from.network.cilium;
  if (own === undefined) {
    return lost(
      `${from.node.name} has no route to ${to.attachment?.ip ?? ''}: Cilium is not set up there`,
      from.network.why('cilium'),
    );
  }
  const peer = peers.tunnels.get(to.node.name, own.maps);
  if (peer === undefined || peer.address !== to.node.address) {
    return lost(`Cilium on ${from.node.name} does not know ${to.node.name}`, [
      ...from.network.why('cilium'),
      ...to.network.why('cilium'),
    ]);
  }
  if (own.routing !== 'tunnel') return undefined;
  const device = deviceDown(from, own.tunnelDevice) ?? deviceDown(to, own.tunnelDevice);
  if (device !== undefined) return device;
  return portsDiffer(from, to, own.tunnelDevice);
}

function deviceDown({ network, node }: Place, name: TunnelDevice): Loss | undefined {
  const link = network.vxlanLink(name);
  if (link?.up === true) return undefined;
  const part = name === 'flannel.1' ? 'flannel' : 'cilium';
  return lost(
    `${name} is ${link === undefined ? 'not there' : 'down'} on ${node.name}`,
    unique([...network.why(name), ...network.why(part)]),
  );
}

function portsDiffer(from: Place, to: Place, name: TunnelDevice): Loss | undefined {
  const sent = from.network.vxlanLink(name)?.port;
  const heard = to.network.vxlanLink(name)?.port;
  if (sent === heard) return undefined;
  return lost(
    `${name} of ${from.node.name} sends to UDP port ${sent ?? 0}, ${to.node.name} listens on ${heard ?? 0}`,
    unique([...from.network.why(name), ...to.network.why(name)]),
  );
}

/**
 * Whether the receiver sees the node instead of the pod: flannel masquerades what leaves its own
 * network (F:pkg/trafficmngr/iptables), Cilium what is no endpoint of its own and no node.
 */
function isTranslated(from: Place, to: Place): boolean {
  if (from.attachment === undefined) return false;
  const sameNode = from.node === to.node;
  if (from.attachment.network === 'flannel') {
    if (from.network.flannel?.masquerade !== true) return false;
    return to.attachment === undefined ? !sameNode : to.attachment.network !== 'flannel';
  }
  if (from.attachment.network === 'cilium') {
    if (to.attachment?.network === 'cilium') return !sameNode && meetsFlannelRules(from, to);
    if (masqueradeOf(from.network) === 'none') return false;
    return to.attachment === undefined ? !sameNode : true;
  }
  return !sameNode;
}

/**
 * What Flannel's rules make of packets between pods of Cilium: only those meet them that go through the host's
 * stack as they are, natively routed, and only where ranges are used again (calico#12920, FM-44). Its tables
 * of nft let pass what stays within its network.
 */
function meetsFlannelRules({ network, attachment }: Place, to: Place): boolean {
  const { cilium, flannel } = network;
  if (cilium?.routing !== 'native' || cilium.hostRouting !== 'legacy') return false;
  if (flannel?.masquerade !== true) return false;
  const source = attachment?.ip ?? '';
  const target = to.attachment?.ip ?? '';
  if (isIn(flannel.subnet, target)) return false;
  const toNetwork = isIn(flannel.network, target);
  if (!isIn(flannel.network, source)) return toNetwork && flannel.nftables !== true;
  return !(toNetwork && (isIn(flannel.subnet, source) || flannel.nftables === true));
}

function isIn(range: string, address: string): boolean {
  const cidr = parseCidr(range);
  const point = parseAddress(address);
  return cidr !== undefined && point !== undefined && contains(cidr, point);
}

function masqueradeOf(network: KernelNetwork): string {
  return network.cilium?.masquerade ?? 'none';
}

function unique(causes: readonly OccurrenceId[]): readonly OccurrenceId[] {
  return [...new Set(causes)];
}
