/**
 * What must hold at every moment of a migration (anchors.md 4.2), looked at where it can break. A
 * violation is noted once, the first time; `lasting` ones a further run cannot undo.
 */
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Rehearsal } from '../../model/rehearsal.ts';
import { fabricOf } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { imageName } from '../programs/image.ts';
import type { TwinNode, World } from '../world.ts';
import { placesOf, watchConfs } from './conf-invariant.ts';
import { rememberMarks, watchBeginnings, watchBudgets, watchReplicas } from './order-invariants.ts';

export type InvariantReport = Rehearsal['invariants'][number];

const NAMES = {
  quorum: 'etcd keeps its quorum',
  address: 'node addresses stay',
  duplicate: 'no address is held by two sandboxes',
  oldCni: 'the old network stays while a sandbox of it lives',
  conf: 'a moved node has one selectable conf, also after a reboot',
  network: 'a node open to pods has a network for them, now and after a reboot',
  order: 'no node is begun while another is in trouble',
  budgets: 'budgets with room are kept',
  replicas: 'replica counts stay',
  cordon: 'nodes that were schedulable are so in the end',
  marks: 'marks and taints of the run are gone in the end',
  data: 'no volume loses its last copy',
} as const;

type InvariantId = keyof typeof NAMES;

/** Data, quorum, a changed address: what a re-run does not bring back. */
const LASTING: ReadonlySet<InvariantId> = new Set(['quorum', 'address', 'data']);
const OLD_BRIDGE = 'cni0';
const CONF_NAME = /\.(conf|conflist|json)$/;

interface Holder {
  readonly ip: string;
  readonly node: string;
  readonly podUid: string;
}

export class Invariants {
  private readonly world: World;
  private readonly violations = new Map<
    InvariantId,
    { readonly at: number; readonly message: string }
  >();
  private readonly addresses = new Map<string, string>();
  private readonly cordoned = new Set<string>();
  /** By address, and by pod. */
  private readonly holders = new Map<string, Holder>();
  private readonly held = new Map<string, Holder>();
  private readonly heldOn = new Map<string, Set<string>>();
  private readonly firstOccurrence: number;
  private readonly markLeft: () => string | undefined;

  constructor(world: World) {
    this.world = world;
    this.firstOccurrence = world.kernel.occurrences.length;
    for (const node of world.store.list('Node')) {
      this.addresses.set(node.metadata.name, internalAddress(node));
      if (node.spec.unschedulable === true) this.cordoned.add(node.metadata.name);
    }
    for (const node of world.nodes.values()) {
      for (const { podUid } of networkOf(node).allAttachments())
        this.attachmentChanged(node, podUid);
    }
    this.follow();
    watchConfs(world, (message) => this.violate('network', message));
    watchBeginnings(world, (message) => this.violate('order', message));
    watchBudgets(world, (message) => this.violate('budgets', message));
    watchReplicas(world, (message) => this.violate('replicas', message));
    this.markLeft = rememberMarks(world);
  }

  report(): readonly InvariantReport[] {
    this.lookAtEnd();
    return Object.entries(NAMES).map(([id, name]) => {
      const firstViolation = this.violations.get(id as InvariantId); // keys of NAMES
      return firstViolation === undefined
        ? { name, held: true }
        : { name, held: false, firstViolation };
    });
  }

  /** Names of broken invariants that a further run cannot undo. */
  lasting(): readonly string[] {
    return [...this.violations.keys()].filter((id) => LASTING.has(id)).map((id) => NAMES[id]);
  }

  private follow(): void {
    const { store, nodes } = this.world;
    fabricOf(this.world).onPathChange((name, podUid) => {
      const node = nodes.get(name);
      if (node === undefined) return;
      if (podUid !== undefined) this.attachmentChanged(node, podUid);
      else this.nodeChanged(node);
    });
    store.watch('Node', ({ type, object }) => {
      if (type !== 'deleted') this.addressSeen(object);
    });
    store.watch('DaemonSet', ({ type, object }) => {
      const isFlannel = object.spec.template.spec.containers.some(
        (container) => imageName(container) === 'flannel',
      );
      if (type === 'deleted' && isFlannel) this.flannelRemoved();
    });
  }

  private nodeChanged(node: TwinNode): void {
    if (!node.machine.up) for (const uid of this.heldOn.get(node.name) ?? []) this.release(uid);
    else this.lookAtBridge(node);
    if (node.role === 'control-plane') this.countQuorum(node);
  }

  private countQuorum(changed: TwinNode): void {
    const members = [...this.world.nodes.values()].filter(({ role }) => role === 'control-plane');
    const up = members.filter(({ machine }) => machine.up).length;
    const quorum = Math.floor(members.length / 2) + 1;
    if (up < quorum)
      this.violate(
        'quorum',
        `${up} of ${members.length} members are up after ${changed.name} went down`,
      );
  }

  private attachmentChanged(node: TwinNode, podUid: string): void {
    const attachment = networkOf(node).attachmentOf(podUid);
    if (attachment === undefined) {
      if (this.held.get(podUid)?.node === node.name) this.release(podUid);
      return;
    }
    const holder: Holder = { ip: attachment.ip, node: node.name, podUid };
    const other = this.holders.get(holder.ip);
    if (other !== undefined && (other.node !== holder.node || other.podUid !== podUid)) {
      const both = `${other.node} ${other.podUid} and ${holder.node} ${podUid}`;
      this.violate('duplicate', `${holder.ip} is held by sandboxes of ${both}`);
    }
    this.release(podUid);
    this.holders.set(holder.ip, holder);
    this.held.set(podUid, holder);
    const here = this.heldOn.get(node.name);
    if (here === undefined) this.heldOn.set(node.name, new Set([podUid]));
    else here.add(podUid);
  }

  private release(podUid: string): void {
    const known = this.held.get(podUid);
    if (known === undefined) return;
    const { ip, node } = known;
    this.held.delete(podUid);
    this.heldOn.get(node)?.delete(podUid);
    if (this.holders.get(ip) === known) this.holders.delete(ip);
  }

  private addressSeen(node: NodeObject): void {
    const { name } = node.metadata;
    const before = this.addresses.get(name);
    const now = internalAddress(node);
    if (before === undefined) this.addresses.set(name, now);
    else if (before !== now && now !== '') {
      this.violate('address', `InternalIP of ${name} changed from ${before} to ${now}`);
    }
  }

  /** Its pods hang on it: without it they are as good as cut off. */
  private lookAtBridge(node: TwinNode): void {
    if (node.network.links().includes(OLD_BRIDGE)) return;
    for (const uid of this.heldOn.get(node.name) ?? []) {
      const attachment = networkOf(node).attachmentOf(uid);
      if (attachment?.network !== 'flannel' || attachment.hostLink !== undefined) continue;
      this.violate(
        'oldCni',
        `${OLD_BRIDGE} of ${node.name} is gone, and ${attachment.ip} was on it`,
      );
      return;
    }
  }

  private flannelRemoved(): void {
    for (const node of this.world.nodes.values()) {
      for (const { network, ip } of networkOf(node).allAttachments()) {
        if (network !== 'flannel') continue;
        this.violate('oldCni', `flannel was removed while ${ip} on ${node.name} was in use`);
        return;
      }
    }
  }

  private lookAtEnd(): void {
    for (const node of this.world.nodes.values()) this.lookAtConf(node);
    for (const { metadata, spec } of this.world.store.list('Node')) {
      if (spec.unschedulable !== true || this.cordoned.has(metadata.name)) continue;
      this.violate('cordon', `${metadata.name} is still cordoned`);
    }
    const left = this.markLeft();
    if (left !== undefined) this.violate('marks', left);
    const { occurrences } = this.world.kernel;
    for (let index = this.firstOccurrence; index < occurrences.length; index += 1) {
      const occurrence = occurrences[index];
      if (occurrence?.kind !== 'longhorn.volume-faulted') continue;
      this.violate('data', occurrence.message, occurrence.at);
      return;
    }
  }

  private lookAtConf(node: TwinNode): void {
    const networks = new Set([...networkOf(node).allAttachments()].map(({ network }) => network));
    if (!node.machine.up || !networks.has('cilium') || networks.size > 1) return;
    const { confDirectory } = placesOf(node);
    const names = (node.files.list(confDirectory) ?? []).filter((name) => CONF_NAME.test(name));
    const after = names.filter((name) => node.files.survives(`${confDirectory}/${name}`, 'reboot'));
    // None after a reboot is fine where the directory is made anew: the agent writes its own.
    if (names.length === 1 && after.length <= 1) return;
    this.violate('conf', `${node.name} has ${names.length === 0 ? 'no conf' : names.join(', ')}`);
  }

  private violate(id: InvariantId, message: string, at = this.world.kernel.now()): void {
    if (!this.violations.has(id)) this.violations.set(id, { at: at / 1000, message });
  }
}

function internalAddress(node: NodeObject): string {
  return node.status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
}
