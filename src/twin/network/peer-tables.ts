/**
 * What overlays know of other nodes: flannel's leases (Node annotations and podCIDR, kept by every
 * flanneld) and Cilium's tunnel map (CiliumNodes, kept by every agent). Followed from the store.
 */
import type { KubeObject, NodeObject } from '../../model/kubernetes.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type Revisions, RevisionTable } from './revision-table.ts';

export interface Peer {
  readonly address: string;
  readonly podCidr: string;
}

const FLANNEL_PREFIX = 'flannel.alpha.coreos.com';
export const FLANNEL_PUBLIC_IP = `${FLANNEL_PREFIX}/public-ip`;
export const FLANNEL_SUBNET_MANAGER = `${FLANNEL_PREFIX}/kube-subnet-manager`;

export interface CiliumNodeObject extends KubeObject {
  readonly kind: 'CiliumNode';
  readonly spec?: {
    readonly addresses?: readonly { readonly type: string; readonly ip: string }[];
    readonly ipam?: { readonly podCIDRs?: readonly string[] };
  };
  readonly status?: {
    readonly ipam?: { readonly 'operator-status'?: { readonly error?: string } };
  };
}

export class PeerTables {
  readonly leases: RevisionTable<Peer>;
  readonly tunnels: RevisionTable<Peer>;
  private readonly listeners: ((node: string) => void)[] = [];

  constructor(store: ObjectStore, revisions: Revisions) {
    this.leases = new RevisionTable(revisions);
    this.tunnels = new RevisionTable(revisions);
    for (const node of store.list('Node'))
      this.learn(this.leases, node.metadata.name, leaseOf(node));
    for (const node of store.list('CiliumNode')) {
      this.learn(this.tunnels, node.metadata.name, tunnelOf(asCiliumNode(node)));
    }
    store.watch('Node', ({ type, object }) => {
      this.learn(
        this.leases,
        object.metadata.name,
        type === 'deleted' ? undefined : leaseOf(object),
      );
    });
    store.watch('CiliumNode', ({ type, object }) => {
      const peer = type === 'deleted' ? undefined : tunnelOf(asCiliumNode(object));
      this.learn(this.tunnels, object.metadata.name, peer);
    });
  }

  /** Called with the name of a node that others learnt about anew. */
  onChange(listener: (node: string) => void): void {
    this.listeners.push(listener);
  }

  private learn(table: RevisionTable<Peer>, node: string, peer: Peer | undefined): void {
    const old = table.get(node, undefined);
    if (old?.address === peer?.address && old?.podCidr === peer?.podCidr) return;
    table.set(node, peer);
    for (const listener of this.listeners) listener(node);
  }
}

export function asCiliumNode(object: KubeObject): CiliumNodeObject {
  return object as CiliumNodeObject; // the store keeps CiliumNodes as plain objects
}

function leaseOf(node: NodeObject): Peer | undefined {
  const annotations = node.metadata.annotations ?? {};
  const address = annotations[FLANNEL_PUBLIC_IP];
  const podCidr = node.spec.podCIDR;
  if (address === undefined || podCidr === undefined) return undefined;
  return annotations[FLANNEL_SUBNET_MANAGER] === 'true' ? { address, podCidr } : undefined;
}

function tunnelOf(node: CiliumNodeObject): Peer | undefined {
  const podCidr = node.spec?.ipam?.podCIDRs?.[0];
  const address = node.spec?.addresses?.find(({ type }) => type === 'InternalIP')?.ip;
  return podCidr === undefined || address === undefined ? undefined : { address, podCidr };
}
