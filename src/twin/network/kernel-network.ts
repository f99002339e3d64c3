/**
 * What a node's kernel holds of networks: links, attachments, and the rules and programs that
 * flanneld, cilium-agent and kube-proxy put there. All of it outlives the process that made it and
 * none of it outlives the machine. Whoever changes something leaves the reason (`why`).
 */
import { assert } from '../../base/assert.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Attachment, Fabric, NodeNetwork, TwinNode, Ways } from '../world.ts';
import {
  flannelMasquerades,
  hasKubeRouterRules,
  removeFlannelRules,
  removeKubeProxyRules,
  writeFlannelRules,
  writeKubeProxyRules,
} from './old-rules.ts';
import { PacketFilter } from './packet-filter.ts';
import type { LeftPolicies } from './policy-index.ts';
import type { View } from './revision-table.ts';

export interface VxlanLink {
  readonly port: number;
  readonly up: boolean;
}

/** What flanneld left or keeps: routes, FDB and traffic rules. */
export interface FlannelState {
  readonly backend: 'vxlan' | 'host-gw';
  readonly port: number;
  /** The cluster's network, e.g. `10.244.0.0/16`: what is not masqueraded. */
  readonly network: string;
  readonly subnet: string;
  /** FLANNEL-POSTRTG chain (or its nftables form) is there. */
  readonly masquerade: boolean;
  /** In tables of nft (EnableNFTables). */
  readonly nftables?: boolean;
  readonly enforcesPolicies: boolean;
  /** Whether the rules that enforce them are there, where they are known. */
  readonly policyRules?: (filter: PacketFilter) => boolean;
  readonly peers: View;
}

/** What cilium-agent left or keeps: BPF programs, maps, cilium_host and its routes. */
export interface CiliumState {
  readonly version: string;
  readonly podCidrs: readonly string[];
  readonly routing: 'tunnel' | 'native';
  readonly tunnelDevice: TunnelDevice;
  readonly hostRouting: 'bpf' | 'legacy';
  readonly masquerade: 'bpf' | 'iptables' | 'none';
  readonly kubeProxyReplacement: boolean;
  readonly policy: 'never' | 'default' | 'always';
  /** What the policies deny is noted and let pass (C@v1.16.5:pkg/option/config.go PolicyAuditMode). */
  readonly policyAudit?: boolean;
  /** Tunnel map, ipcache and service maps as of when the agent last wrote them. */
  readonly maps: View;
  /** Why its programs do what the host's stack did before; empty where they do not. */
  readonly takenOver: {
    readonly services: readonly OccurrenceId[];
    readonly routing: readonly OccurrenceId[];
    /** Of `routing`: that the links of another network on the node are passed by. */
    readonly oldNetwork: readonly OccurrenceId[];
  };
}

export interface KubeProxyState {
  readonly mode: string;
  readonly rules: View;
}

export type TunnelDevice = 'flannel.1' | 'cilium_vxlan' | 'cilium_geneve';

/** Parts of a node's network that can be missing, each with a reason of its own. */
export type NetworkPart = 'power' | 'flannel' | 'cilium' | 'kube-proxy' | 'cni0' | TunnelDevice;

/** As `Fabric.onChange` tells. */
export type NetworkListener = Parameters<Fabric['onChange']>[0];

const NO_CAUSES: readonly OccurrenceId[] = [];
/** Detached pods whose reason is remembered, per node. */
const DETACHMENTS_MAX = 256;

/** The host's two ends of Cilium's own pair; one never stays without the other (veth(4)). */
const OTHER_END: Readonly<Record<string, string>> = {
  cilium_host: 'cilium_net',
  cilium_net: 'cilium_host',
};

export class KernelNetwork implements NodeNetwork {
  readonly node: string;
  /** Changed through it by clients; what that means for packets follows. */
  readonly filter = new PacketFilter(() => this.filterChanged());
  /** What containers of a pod share in this boot, by pod UID: an agent's resolved configuration. */
  readonly scratch = new Map<string, Readonly<Record<string, string>>>();
  /** The upstream in the resolv.conf of a Default-DNS pod, fixed when its sandbox was made. */
  readonly resolvers = new Map<string, string>();
  /** Told once by the DNS server itself: that it does not reach its upstream, by pod UID. */
  readonly upstreamLosses = new Map<string, OccurrenceId>();
  private readonly kernel: Kernel;
  private readonly attachments = new Map<string, Attachment>();
  private readonly orphans = new Set<string>();
  private readonly detachments = new Map<string, readonly OccurrenceId[]>();
  private readonly vxlan = new Map<string, VxlanLink>();
  private readonly plainLinks = new Set<string>();
  private readonly reasons = new Map<NetworkPart, readonly OccurrenceId[]>();
  private readonly listeners: NetworkListener[] = [];
  private readonly losses = new Set<() => void>();
  private flannelState: FlannelState | undefined;
  private ciliumState: CiliumState | undefined;
  private kubeProxyState: KubeProxyState | undefined;
  private policiesLeft: LeftPolicies | undefined;
  private changes = 0;

  constructor(kernel: Kernel, node: string) {
    this.kernel = kernel;
    this.node = node;
  }

  get epoch(): number {
    return this.changes;
  }

  get flannel(): FlannelState | undefined {
    return this.flannelState;
  }

  get cilium(): CiliumState | undefined {
    return this.ciliumState;
  }

  get kubeProxy(): KubeProxyState | undefined {
    return this.kubeProxyState;
  }

  attach(attachment: Attachment): void {
    this.attachments.set(attachment.podUid, attachment);
    this.orphans.delete(attachment.podUid);
    this.detachments.delete(attachment.podUid);
    if (attachment.network !== 'cilium') this.plainLinks.add(attachment.hostLink ?? 'cni0');
    this.touch(attachment.podUid);
  }

  detach(podUid: string): void {
    this.resolvers.delete(podUid);
    this.upstreamLosses.delete(podUid);
    this.orphans.delete(podUid);
    const { hostLink } = this.attachments.get(podUid) ?? {};
    if (hostLink !== undefined) this.plainLinks.delete(hostLink);
    if (!this.attachments.delete(podUid)) return;
    this.remember(podUid);
    this.touch(podUid);
  }

  attachFailed(podUid: string, because: readonly OccurrenceId[]): void {
    if (this.attachments.has(podUid)) return;
    this.remember(podUid, because);
    this.touch(podUid);
  }

  /** Why a pod has no attachment: what took it away, or what kept it from one since. */
  whyDetached(podUid: string): readonly OccurrenceId[] {
    return this.detachments.get(podUid) ?? NO_CAUSES;
  }

  attachmentOf(podUid: string): Attachment | undefined {
    return this.attachments.get(podUid);
  }

  allAttachments(): Iterable<Attachment> {
    return this.attachments.values();
  }

  /** Whether the pod's end of the wire hangs on nothing: its bridge was deleted under it. */
  isOrphan(podUid: string): boolean {
    return this.orphans.has(podUid);
  }

  links(): readonly string[] {
    return ['lo', 'eth0', ...this.plainLinks, ...this.vxlan.keys()];
  }

  hasLink(name: string): boolean {
    return this.plainLinks.has(name) || this.vxlan.has(name);
  }

  removeLink(name: string): void {
    if (!this.hasLink(name)) return;
    this.plainLinks.delete(name);
    this.plainLinks.delete(OTHER_END[name] ?? '');
    this.vxlan.delete(name);
    if (name === 'cni0') {
      for (const { podUid, network, hostLink } of this.attachments.values()) {
        if (network !== 'cilium' && hostLink === undefined) this.orphans.add(podUid);
      }
    }
    if (name === 'cni0' || name === 'flannel.1' || name === 'cilium_vxlan') this.blame(name);
    this.touch(undefined, waysOver(name));
  }

  addLink(name: string): void {
    if (this.plainLinks.has(name)) return;
    this.plainLinks.add(name);
    this.touch(undefined, waysOver(name));
  }

  vxlanLink(name: string): VxlanLink | undefined {
    return this.vxlan.get(name);
  }

  setVxlanLink(name: TunnelDevice, link: VxlanLink): void {
    const old = this.vxlan.get(name);
    if (old?.port === link.port && old.up === link.up) return;
    this.vxlan.set(name, link);
    this.blame(name);
    this.touch(undefined, waysOver(name));
  }

  /**
   * The UP VXLAN device that holds the port. Linux allows one per UDP port
   * (cilium/cilium#38581, truth:P08).
   */
  holderOfPort(port: number, except: string): string | undefined {
    for (const [name, link] of this.vxlan) {
      if (name === except || name === 'cilium_geneve') continue;
      if (link.up && link.port === port) return name;
    }
    return undefined;
  }

  setFlannel(state: FlannelState | undefined): void {
    this.flannelState = state;
    const { network = '', subnet = '', nftables = false } = state ?? {};
    if (state?.masquerade === true) writeFlannelRules(this.filter, { network, subnet, nftables });
    else removeFlannelRules(this.filter);
    this.blame('flannel');
    this.touch(undefined, 'between-nodes');
  }

  setCilium(state: CiliumState | undefined): void {
    const before = this.ciliumState;
    this.ciliumState = state;
    this.blame('cilium');
    // What other programs do between the same two ends is nothing to the node's own pods.
    if (state === undefined || before === undefined) this.touch();
    else this.touch(undefined, isLeftAsItIs(before, state) ? 'none' : 'between-nodes');
  }

  /** Of a policy controller that ended; undefined: none ended here, or another keeps its rules now. */
  get leftPolicies(): LeftPolicies | undefined {
    return this.policiesLeft;
  }

  setLeftPolicies(left: LeftPolicies | undefined): void {
    if (this.policiesLeft === left) return;
    this.policiesLeft = left;
    this.blame('flannel');
    this.touch();
  }

  setKubeProxy(state: KubeProxyState | undefined): void {
    this.kubeProxyState = state;
    if (state === undefined) removeKubeProxyRules(this.filter);
    else writeKubeProxyRules(this.filter, state.mode);
    this.blame('kube-proxy');
    this.touch(undefined, 'between-nodes');
  }

  /** Told when a client took rules of Flannel's or of a policy controller's away, until the answer is called. */
  onRulesLost(listener: () => void): () => void {
    this.losses.add(listener);
    return () => this.losses.delete(listener);
  }

  /** Packets meet what is there, whoever wrote it, and whether or not it runs still. */
  private filterChanged(): void {
    if (!hasKubeRouterRules(this.filter)) this.setLeftPolicies(undefined);
    const state = this.flannelState;
    if (state === undefined) return;
    const masquerade = flannelMasquerades(this.filter);
    const enforcesPolicies = state.enforcesPolicies && (state.policyRules?.(this.filter) ?? true);
    if (masquerade === state.masquerade && enforcesPolicies === state.enforcesPolicies) return;
    this.flannelState = { ...state, masquerade, enforcesPolicies };
    this.blame('flannel');
    this.touch(undefined, 'between-nodes');
    for (const listener of this.losses) listener();
  }

  /** What made the part as it is, or took it away. */
  why(part: NetworkPart): readonly OccurrenceId[] {
    return this.reasons.get(part) ?? NO_CAUSES;
  }

  powerLost(): void {
    for (const podUid of this.attachments.keys()) this.remember(podUid);
    this.attachments.clear();
    this.orphans.clear();
    this.vxlan.clear();
    this.plainLinks.clear();
    this.scratch.clear();
    this.resolvers.clear();
    this.upstreamLosses.clear();
    this.filter.clear();
    this.policiesLeft = undefined;
    this.flannelState = undefined;
    this.ciliumState = undefined;
    this.kubeProxyState = undefined;
    this.blame('power');
    for (const part of [
      'flannel',
      'cilium',
      'kube-proxy',
      'cni0',
      'flannel.1',
      'cilium_vxlan',
    ] as const) {
      this.reasons.set(part, joined(this.kernel.causes, this.reasons.get(part)));
    }
    this.touch();
  }

  powerOn(): void {
    this.touch();
  }

  onChange(listener: NetworkListener): void {
    this.listeners.push(listener);
  }

  private remember(podUid: string, because = this.kernel.causes): void {
    const oldest =
      this.detachments.size >= DETACHMENTS_MAX ? this.detachments.keys().next() : undefined;
    if (oldest?.value !== undefined) this.detachments.delete(oldest.value);
    this.detachments.delete(podUid);
    this.detachments.set(podUid, because);
  }

  private blame(part: NetworkPart): void {
    this.reasons.set(part, this.kernel.causes);
  }

  private touch(podUid?: string, ways: Ways = 'all'): void {
    this.changes += 1;
    for (const listener of this.listeners) listener(this.node, podUid, ways);
  }
}

/** Packets ask for the bridge, the pods' own ends and tunnel devices; other links say who was there. */
function waysOver(link: string): Ways {
  if (link === 'cni0' || link.startsWith('cali')) return 'all';
  return link === 'flannel.1' || link === 'cilium_vxlan' || link === 'cilium_geneve'
    ? 'between-nodes'
    : 'none';
}

/** Its agent stopped, and nothing else: its maps were live, and stay as they are now. */
function isLeftAsItIs(before: CiliumState, state: CiliumState): boolean {
  if (before.maps !== undefined || state.maps === undefined) return false;
  return CILIUM_PARTS.every((part) => before[part] === state[part]);
}

const CILIUM_PARTS = [
  'version',
  'podCidrs',
  'routing',
  'tunnelDevice',
  'hostRouting',
  'masquerade',
  'kubeProxyReplacement',
  'policy',
  'policyAudit',
  'takenOver',
] as const;

/** A loss keeps what came before it: rules gone in a reboot are gone for good if their maker is. */
function joined(
  first: readonly OccurrenceId[],
  second: readonly OccurrenceId[] = NO_CAUSES,
): readonly OccurrenceId[] {
  if (second.length === 0) return first;
  if (first.length === 0) return second;
  return [...new Set([...first, ...second])].slice(0, 4);
}

export function createNodeNetwork(kernel: Kernel, node: string): KernelNetwork {
  return new KernelNetwork(kernel, node);
}

/** The node's network with what only this folder and the programs may see. */
export function networkOf(node: TwinNode): KernelNetwork {
  assert(node.network instanceof KernelNetwork, `the network of ${node.name} is not of this twin`);
  return node.network;
}
