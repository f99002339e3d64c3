/**
 * NetworkPolicies as an enforcing CNI reads them: which select a pod, and whether they let a packet
 * by. Peers only; ports are not looked at, and CiliumNetworkPolicies are not read. Rules of Cilium:
 * the node's own host is always let in; pods and nodes are no `ipBlock` (cilium/cilium#9209);
 * whoever is no endpoint of its own, or arrives behind a translated address, has no labels.
 */
import { type Cidr, contains, parseAddress, parseCidr } from '../../base/cidr.ts';
import {
  matchesLabels,
  type NetworkPolicyObject,
  type NetworkPolicyPeer,
  objectKey,
  type PodObject,
} from '../../model/kubernetes.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { PolicyAudit } from './policy-audit.ts';
import type { Place } from './places.ts';

type Direction = 'Ingress' | 'Egress';
type Enforcement = 'never' | 'default' | 'always';

/** Rules of a policy controller that ended (k3s:pkg/agent/netpol/netpol.go@0589157: they stay). */
export interface LeftPolicies {
  /** Policies that selected a pod of the node, by its address. */
  readonly chains: ReadonlyMap<string, readonly NetworkPolicyObject[]>;
  /** Whose address was whose. */
  readonly known: ReadonlyMap<string, PodObject>;
}

interface Selecting {
  readonly revision: number;
  readonly policies: readonly NetworkPolicyObject[];
}

/** The other end of a packet as the enforcing side knows it. */
interface Peer {
  /** Undefined when the enforcing side knows no labels of it. */
  readonly pod: PodObject | undefined;
  /** Undefined when the address may not be matched by an ipBlock. */
  readonly address: string | undefined;
}

const cidrs = new Map<string, Cidr | undefined>();

export class PolicyIndex {
  private readonly byNamespace = new Map<string, Map<string, NetworkPolicyObject>>();
  private readonly cache = new WeakMap<PodObject, Selecting>();
  private readonly listeners: (() => void)[] = [];
  private revision = 0;
  private readonly store: ObjectStore;
  /** What passed only because policies are audited. */
  readonly audit: PolicyAudit;

  constructor(store: ObjectStore, now: () => number) {
    this.store = store;
    this.audit = new PolicyAudit(now);
    for (const policy of store.list('NetworkPolicy'))
      this.namespaceOf(policy).set(objectKey(policy), policy);
    store.watch('NetworkPolicy', ({ type, object }) => {
      this.revision += 1;
      if (type === 'deleted') this.namespaceOf(object).delete(objectKey(object));
      else this.namespaceOf(object).set(objectKey(object), object);
      for (const listener of this.listeners) listener();
    });
  }

  get isEmpty(): boolean {
    for (const policies of this.byNamespace.values()) if (policies.size > 0) return false;
    return true;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The policies whose podSelector matches the pod. */
  selecting(pod: PodObject): readonly NetworkPolicyObject[] {
    const cached = this.cache.get(pod);
    if (cached?.revision === this.revision) return cached.policies;
    const all = this.byNamespace.get(pod.metadata.namespace ?? '');
    const policies = [...(all?.values() ?? [])].filter((policy) =>
      matchesLabels(policy.spec.podSelector ?? {}, pod.metadata.labels),
    );
    this.cache.set(pod, { revision: this.revision, policies });
    return policies;
  }

  /** Undefined when the packet may pass; else what keeps it out. */
  refusal(from: Place, to: Place | undefined, sourceSeen: string): string | undefined {
    const egress = to === undefined ? outsidePeer() : peerSeenFrom(from, to, true);
    const out = this.judged(from, 'Egress', egress, to);
    if (out !== undefined || to === undefined) return out;
    if (letsOwnHostIn(to) && from.attachment === undefined && from.node === to.node)
      return undefined;
    const seen = sourceSeen === from.attachment?.ip;
    return this.judged(to, 'Ingress', peerSeenFrom(to, from, seen), from);
  }

  /** What rules for these pods say from now on, once nobody writes them any more: by addresses as they are now. */
  frozen(local: readonly PodObject[]): LeftPolicies | undefined {
    const chains = new Map<string, readonly NetworkPolicyObject[]>();
    for (const pod of local) {
      const policies = this.selecting(pod);
      if (policies.length > 0 && pod.status.podIP !== undefined)
        chains.set(pod.status.podIP, policies);
    }
    if (chains.size === 0) return undefined;
    const known = new Map<string, PodObject>();
    for (const pod of this.store.list('Pod'))
      if (pod.spec.hostNetwork !== true && pod.status.podIP !== undefined)
        known.set(pod.status.podIP, pod);
    return { chains, known };
  }

  /** As `refusal`, by rules that are left; who has an address now is nothing to them. */
  leftRefusal(from: Place, to: Place | undefined, sourceSeen: string): string | undefined {
    const target = to === undefined ? OUTSIDE_ADDRESS : (to.attachment?.ip ?? to.node.address);
    const out = this.leftVerdict(from, 'Egress', target);
    if (out !== undefined || to === undefined) return out;
    // kube-router lets the pod's own node in (pkg/controllers/netpol/pod.go@v2.2.1).
    if (from.attachment === undefined && from.node === to.node) return undefined;
    return this.leftVerdict(to, 'Ingress', sourceSeen);
  }

  private leftVerdict(place: Place, direction: Direction, other: string): string | undefined {
    const { attachment, network } = place;
    const left = network.leftPolicies;
    if (left === undefined || attachment === undefined || !meetsHostRules(place)) return undefined;
    const policies = left.chains
      .get(attachment.ip)
      ?.filter((each) => hasDirection(each, direction));
    if (policies === undefined || policies.length === 0) return undefined;
    const peer: Peer = { pod: left.known.get(other), address: other };
    if (policies.some((policy) => this.allows(policy, direction, peer))) return undefined;
    return `rules that are left on ${place.node.name} for NetworkPolicy ${policies.map((policy) => policy.metadata.name).join(', ')} deny ${direction.toLowerCase()} of ${attachment.ip}`;
  }

  /** The verdict where it is enforced; where it is audited, it is noted and holds nothing up. */
  private judged(
    place: Place,
    direction: Direction,
    peer: Peer,
    other: Place | undefined,
  ): string | undefined {
    const audited = auditing(place);
    const refusal = this.verdict(place, direction, peer, audited ?? enforcement(place));
    if (refusal === undefined || audited === undefined) return refusal;
    this.audit.note(place, direction, other);
    return undefined;
  }

  private verdict(
    place: Place,
    direction: Direction,
    peer: Peer,
    mode: Enforcement,
  ): string | undefined {
    if (mode === 'never' || place.pod === undefined) return undefined;
    const policies = this.selecting(place.pod).filter((policy) => hasDirection(policy, direction));
    const { namespace = '', name } = place.pod.metadata;
    if (policies.length === 0) {
      return mode === 'always'
        ? `no policy allows ${direction.toLowerCase()} of ${namespace}/${name}`
        : undefined;
    }
    if (policies.some((policy) => this.allows(policy, direction, peer))) return undefined;
    return `NetworkPolicy ${policies.map((policy) => policy.metadata.name).join(', ')} denies ${direction.toLowerCase()} of ${namespace}/${name}`;
  }

  private allows(policy: NetworkPolicyObject, direction: Direction, peer: Peer): boolean {
    const rules =
      direction === 'Ingress'
        ? (policy.spec.ingress ?? []).map((rule) => rule.from)
        : (policy.spec.egress ?? []).map((rule) => rule.to);
    return rules.some((peers) => {
      if (peers === undefined || peers.length === 0) return true;
      return peers.some((allowed) => this.matches(policy, allowed, peer));
    });
  }

  private matches(policy: NetworkPolicyObject, allowed: NetworkPolicyPeer, peer: Peer): boolean {
    if (allowed.ipBlock !== undefined)
      return peer.address !== undefined && inBlock(allowed.ipBlock, peer.address);
    const { pod } = peer;
    if (pod === undefined) return false;
    const namespace = pod.metadata.namespace ?? '';
    const inNamespace =
      allowed.namespaceSelector === undefined
        ? namespace === policy.metadata.namespace
        : matchesLabels(allowed.namespaceSelector, this.labelsOfNamespace(namespace));
    return (
      inNamespace &&
      (allowed.podSelector === undefined || matchesLabels(allowed.podSelector, pod.metadata.labels))
    );
  }

  private labelsOfNamespace(name: string): Readonly<Record<string, string>> {
    const labels = this.store.get('Namespace', undefined, name)?.metadata.labels ?? {};
    return { 'kubernetes.io/metadata.name': name, ...labels };
  }

  private namespaceOf({ metadata }: NetworkPolicyObject): Map<string, NetworkPolicyObject> {
    const name = metadata.namespace ?? '';
    let policies = this.byNamespace.get(name);
    if (policies === undefined) this.byNamespace.set(name, (policies = new Map()));
    return policies;
  }
}

/**
 * The host's own packets to a pod on it are not policed by Cilium, nor by Calico, whose pods have a pair of
 * their own (calico:felix/rules/static.go filterOutputChain@87c1590).
 */
function letsOwnHostIn({ attachment }: Place): boolean {
  return attachment?.network === 'cilium' || attachment?.hostLink !== undefined;
}

/** Packets of Cilium's pods pass the host's stack as they are only where they are routed natively through it. */
function meetsHostRules({ attachment, network }: Place): boolean {
  if (attachment?.network !== 'cilium') return true;
  return network.cilium?.routing === 'native' && network.cilium.hostRouting === 'legacy';
}

/** Whether policies bind the pod where it is: by the CNI that carries it, not by what is installed. */
export function enforcement(place: Place): Enforcement {
  const { attachment, network } = place;
  if (auditing(place) !== undefined) return 'never';
  if (attachment?.network === 'cilium') return network.cilium?.policy ?? 'never';
  if (attachment?.network === 'flannel' && network.flannel?.enforcesPolicies === true)
    return 'default';
  return 'never';
}

/** How policies would bind the pod if they were not only audited; undefined where they are not. */
function auditing({ attachment, network }: Place): Enforcement | undefined {
  if (attachment?.network !== 'cilium' || network.cilium?.policyAudit !== true) return undefined;
  return network.cilium.policy;
}

function peerSeenFrom(enforcing: Place, other: Place, addressKept: boolean): Peer {
  const sameNetwork = enforcing.attachment?.network === other.attachment?.network;
  if (other.attachment === undefined || !addressKept) {
    // A node or whoever hides behind its address: no labels, and no ipBlock under Cilium.
    const byAddress = enforcing.attachment?.network === 'flannel';
    return { pod: undefined, address: byAddress ? other.node.address : undefined };
  }
  const address =
    sameNetwork && enforcing.attachment?.network === 'cilium' ? undefined : other.attachment.ip;
  // Enforcers beside Flannel learn addresses from pod objects, whatever network a pod is on
  // (calico:libcalico-go/lib/backend/k8s/conversion IsReadyCalicoPod@87c1590); Cilium from its endpoints.
  const known = sameNetwork || enforcing.attachment?.network === 'flannel';
  return { pod: known ? other.pod : undefined, address };
}

function outsidePeer(): Peer {
  return { pod: undefined, address: OUTSIDE_ADDRESS };
}

/** Stands for any address outside (TEST-NET-3, RFC 5737). */
const OUTSIDE_ADDRESS = '203.0.113.1';

function hasDirection({ spec }: NetworkPolicyObject, direction: Direction): boolean {
  if (spec.policyTypes !== undefined) return spec.policyTypes.includes(direction);
  return direction === 'Ingress' || spec.egress !== undefined;
}

function inBlock(
  block: { readonly cidr: string; readonly except?: readonly string[] },
  address: string,
): boolean {
  const range = cidrOf(block.cidr);
  const point = parseAddress(address);
  if (range === undefined || point === undefined || !contains(range, point)) return false;
  return !(block.except ?? []).some((text) => {
    const hole = cidrOf(text);
    return hole !== undefined && contains(hole, point);
  });
}

function cidrOf(text: string): Cidr | undefined {
  if (!cidrs.has(text)) cidrs.set(text, parseCidr(text));
  return cidrs.get(text);
}
