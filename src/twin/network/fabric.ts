/**
 * The network between nodes: `reach` walks the state on a packet's way and says whether it arrives,
 * and if not, where it ends and because of what. It decides nothing and changes nothing.
 */
import { present } from '../../base/assert.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type {
  ApiServer,
  Destination,
  Fabric,
  NetworkEnd,
  PathVerdict,
  TwinNode,
  Ways,
} from '../world.ts';
import { toUpstream } from './host-dns.ts';
import { type NetworkListener, networkOf } from './kernel-network.ts';
import { between, toOutside } from './overlays.ts';
import { PeerTables } from './peer-tables.ts';
import { hostOf, type Located, locate, type Place } from './places.ts';
import { PolicyIndex } from './policy-index.ts';
import { Revisions, type View } from './revision-table.ts';
import { type Backend, DNS_SERVICE, type ServiceEntry, ServiceTable } from './service-table.ts';
import { arrives, lost } from './verdict.ts';

export interface FabricParts {
  readonly kernel: Kernel;
  readonly store: ObjectStore;
  readonly nodes: ReadonlyMap<string, TwinNode>;
  /** Asked when a packet is for it; the API server and the fabric need each other. */
  api(): ApiServer;
}

/** A verdict, with the backend that was chosen on the way, if a service was on it. */
export interface Trace {
  readonly verdict: PathVerdict;
  readonly backend: Backend | undefined;
}

type Picked =
  | { readonly ok: true; readonly entry: ServiceEntry; readonly backend: Backend }
  | (PathVerdict & { readonly ok: false });

const API_SERVICE = 'default/kubernetes';
const OUTSIDE = 'outside';

export class TwinFabric implements Fabric {
  readonly revisions = new Revisions();
  readonly services: ServiceTable;
  readonly peers: PeerTables;
  readonly policies: PolicyIndex;
  private readonly parts: FabricParts;
  private readonly listeners: NetworkListener[] = [];
  private readonly followed = new Set<string>();

  constructor(parts: FabricParts) {
    this.parts = parts;
    this.services = new ServiceTable(parts.kernel, parts.store, this.revisions);
    this.peers = new PeerTables(parts.store, this.revisions);
    this.policies = new PolicyIndex(parts.store, () => parts.kernel.now());
    // A lease or tunnel entry that came later than the link changes the fate of the same paths.
    this.peers.onChange((node) => this.tell(node, undefined, 'between-nodes'));
  }

  reach(from: NetworkEnd, to: Destination): PathVerdict {
    return this.trace(from, to).verdict;
  }

  trace(from: NetworkEnd, to: Destination): Trace {
    this.follow();
    if (from.kind === 'outside') return this.fromOutside(to);
    const source = locate(this.parts.nodes, from);
    if (!source.ok) return plain(source);
    const { place } = source;
    switch (to.kind) {
      case 'pod':
      case 'host':
        return { verdict: this.direct(place, locate(this.parts.nodes, to)), backend: undefined };
      case 'outside':
        return { verdict: this.permitted(place, undefined, toOutside(place)), backend: undefined };
      case 'service':
        return this.toService(place, `${to.namespace}/${to.name}`);
      case 'nodeport':
        return this.toNodePort(place, to);
      case 'apiserver':
        return { verdict: this.toApiServer(place), backend: undefined };
      case 'dns':
        return this.toDns(place, to.question);
    }
  }

  /** Whether a process on the host gets through to the API server's ClusterIP. */
  hostReachesApiService(node: TwinNode): PathVerdict {
    const host = hostOf(node);
    const rules = rulesFor(host);
    if (rules.ok) return this.toApiServer(host);
    return lost(`dial tcp ${this.apiServiceAddress()}:443: i/o timeout`, rules.because);
  }

  onChange(listener: NetworkListener): void {
    this.onPathChange(listener);
  }

  /** As `onChange`; with the pod's UID when nothing but that pod's attachment changed. */
  onPathChange(listener: NetworkListener): void {
    this.listeners.push(listener);
    this.follow();
  }

  /** Follows nodes that were added since; cheap when none were. */
  follow(): void {
    if (this.followed.size === this.parts.nodes.size) return;
    for (const [name, node] of this.parts.nodes) {
      if (this.followed.has(name)) continue;
      this.followed.add(name);
      networkOf(node).onChange((changed, podUid, ways) => this.tell(changed, podUid, ways));
    }
  }

  private tell(node: string, podUid: string | undefined, ways: Ways): void {
    // What a policy makes of a packet may hang on more than the wires between its ends.
    const judged = ways === 'all' || this.policies.isEmpty ? ways : 'all';
    for (const listener of this.listeners) listener(node, podUid, judged);
  }

  private direct(from: Place, to: Located): PathVerdict {
    if (!to.ok) return to;
    return this.permitted(from, to.place, between(this.peers, from, to.place));
  }

  private permitted(from: Place, to: Place | undefined, verdict: PathVerdict): PathVerdict {
    if (!verdict.ok) return verdict;
    const left = this.policies.leftRefusal(from, to, verdict.sourceSeen ?? '');
    if (left !== undefined) return lost(left, (to ?? from).network.why('flannel'));
    if (this.policies.isEmpty) return verdict;
    const refusal = this.policies.refusal(from, to, verdict.sourceSeen ?? '');
    return refusal === undefined ? verdict : lost(refusal, (to ?? from).network.why('cilium'));
  }

  /** ClusterIP: the node the packet starts on translates, or nobody does. */
  private toService(from: Place, key: string): Trace {
    if (key === API_SERVICE) return { verdict: this.toApiServer(from), backend: undefined };
    const picked = this.pick(from, key);
    if (!picked.ok) return plain(picked);
    const { backend } = picked;
    return { verdict: this.direct(from, this.placeOf(backend)), backend };
  }

  private pick(from: Place, key: string): Picked {
    const rules = rulesFor(from);
    const live = this.services.get(key, undefined);
    if (!rules.ok) {
      const address = live?.service.spec.clusterIP ?? key;
      return lost(
        `dial tcp ${address}: i/o timeout: nothing on ${from.node.name} translates service addresses`,
        rules.because,
      );
    }
    const entry = this.services.get(key, rules.view);
    if (entry === undefined)
      return lost(`there is no service ${key} in the rules of ${from.node.name}`);
    const backend = choose(entry.backends, `${from.pod?.metadata.uid ?? from.node.name} ${key}`);
    if (backend === undefined) {
      return lost(
        `connection refused: service ${key} has no ready backend on ${from.node.name}`,
        entry.emptied,
      );
    }
    return { ok: true, entry, backend };
  }

  /** Backends are looked up by address: stale rules point where nobody is any more. */
  private placeOf(backend: Backend): Located {
    const { store, nodes } = this.parts;
    const pod = store.get('Pod', backend.namespace, backend.name);
    const gone = (): Located =>
      lost(`dial tcp ${backend.ip}: i/o timeout: no pod has that address now`);
    if (pod === undefined || pod.metadata.uid !== backend.podUid) return gone();
    const located = locate(nodes, { kind: 'pod', pod });
    if (!located.ok || located.place.attachment === undefined) return located;
    return located.place.attachment.ip === backend.ip ? located : gone();
  }

  private toNodePort(from: Place | undefined, to: Destination & { kind: 'nodeport' }): Trace {
    const node = locate(this.parts.nodes, { kind: 'host', node: to.node });
    if (!node.ok) return plain(node);
    if (from !== undefined) {
      const arrival = between(this.peers, from, node.place);
      if (!arrival.ok) return plain(arrival);
    }
    const picked = this.pick(node.place, `${to.namespace}/${to.name}`);
    if (!picked.ok) return plain(picked);
    const target = this.placeOf(picked.backend);
    if (!target.ok) return { verdict: target, backend: picked.backend };
    return { verdict: this.forward(node.place, target.place), backend: picked.backend };
  }

  /**
   * A node forwards to a backend. With Cilium's replacement the BPF NodePort program takes the packet
   * first, and loses it when the backend is a pod of another CNI (cilium/cilium#21579).
   */
  private forward(node: Place, target: Place): PathVerdict {
    const foreign = target.attachment !== undefined && target.attachment.network !== 'cilium';
    if (node.network.cilium?.kubeProxyReplacement === true && foreign) {
      return lost(
        `Cilium's NodePort on ${node.node.name} does not reach ${target.attachment?.ip ?? ''}, a pod of another network`,
        node.network.cilium.takenOver.services,
      );
    }
    return this.permitted(node, target, between(this.peers, node, target));
  }

  private toApiServer(from: Place): PathVerdict {
    const { nodes } = this.parts;
    if (!this.parts.api().healthy()) {
      return lost('the API server does not answer', this.whyControlPlaneIsDown());
    }
    // A host has the endpoint of its kubeconfig: KubePrism, a load balancer, or an address.
    if (from.attachment === undefined) return arrives(from.node.address);
    const rules = rulesFor(from);
    if (!rules.ok) {
      return lost(`dial tcp ${this.apiServiceAddress()}:443: i/o timeout`, rules.because);
    }
    // The Service has an endpoint for each API server that runs, and a client dials again.
    let refused: PathVerdict | undefined;
    for (const node of nodes.values()) {
      if (node.role !== 'control-plane' || !this.parts.api().runsOn(node)) continue;
      const to = hostOf(node);
      const verdict = this.permitted(from, to, between(this.peers, from, to));
      if (verdict.ok) return verdict;
      refused ??= verdict;
    }
    return refused ?? lost('no control plane node is up');
  }

  private whyControlPlaneIsDown(): readonly number[] {
    const quorum = this.parts.api().whyNoQuorum?.() ?? [];
    if (quorum.length > 0) return quorum;
    return [...this.parts.nodes.values()]
      .filter(({ role, machine }) => role === 'control-plane' && !machine.up)
      .flatMap((node) => networkOf(node).why('power'));
  }

  private apiServiceAddress(): string {
    return this.services.get(API_SERVICE, undefined)?.service.spec.clusterIP ?? '10.96.0.1';
  }

  private toDns(from: Place, question: 'internal' | 'external'): Trace {
    const internal = this.toService(from, DNS_SERVICE);
    if (question === 'internal' || !internal.verdict.ok) return internal;
    const server = this.placeOf(present(internal.backend, 'the DNS server that answered'));
    if (!server.ok) return { verdict: server, backend: internal.backend };
    const upstream = toUpstream(server.place);
    return { verdict: upstream.ok ? internal.verdict : upstream, backend: internal.backend };
  }

  private fromOutside(to: Destination): Trace {
    if (to.kind === 'nodeport') {
      const trace = this.toNodePort(undefined, to);
      return trace.verdict.ok ? { ...trace, verdict: arrives(OUTSIDE) } : trace;
    }
    if (to.kind === 'host') {
      const located = locate(this.parts.nodes, to);
      return plain(located.ok ? arrives(OUTSIDE) : located);
    }
    if (to.kind === 'apiserver') {
      return plain(
        this.parts.api().healthy() ? arrives(OUTSIDE) : lost('the API server does not answer'),
      );
    }
    return plain(lost('not routed from outside the cluster'));
  }
}

function plain(verdict: PathVerdict): Trace {
  return { verdict, backend: undefined };
}

type Rules =
  | { readonly ok: true; readonly view: View }
  | { readonly ok: false; readonly because: readonly number[] };

/**
 * Who translates service addresses for packets that start here. With the replacement on, socket-LB
 * does, for every process of the node. Without it, Cilium still does for its own endpoints
 * (kubeproxy-free.rst: ClusterIP from pods); for everybody else it is kube-proxy's rules, which stay
 * in the kernel as they were when kube-proxy stops (failure-domains.md 2.4).
 */
function rulesFor({ network, attachment }: Place): Rules {
  const { cilium, kubeProxy } = network;
  if (cilium !== undefined && (cilium.kubeProxyReplacement || attachment?.network === 'cilium')) {
    return { ok: true, view: cilium.maps };
  }
  if (kubeProxy !== undefined) return { ok: true, view: kubeProxy.rules };
  return { ok: false, because: network.why('kube-proxy') };
}

/**
 * One client keeps to one backend while the list stays: a fate per path, instead of a share of lost
 * connections. Which one is a matter of the client's name only, so runs repeat.
 */
function choose(backends: readonly Backend[], client: string): Backend | undefined {
  if (backends.length < 2) return backends[0];
  let hash = 0x811c9dc5;
  for (let index = 0; index < client.length; index += 1) {
    hash = Math.imul(hash ^ client.charCodeAt(index), 0x01000193) >>> 0;
  }
  return backends[hash % backends.length];
}

export function createFabric(parts: FabricParts): TwinFabric {
  return new TwinFabric(parts);
}

/** Takes away the rules a stopped kube-proxy left (`kube-proxy --cleanup`). */
export function cleanKubeProxyRules(node: TwinNode): void {
  networkOf(node).setKubeProxy(undefined);
}

/** The fabric with what only this folder, the programs and the prober may see. */
export function fabricOf(world: { readonly fabric: Fabric }): TwinFabric {
  if (world.fabric instanceof TwinFabric) return world.fabric;
  throw new TypeError('the fabric is not of this twin');
}
