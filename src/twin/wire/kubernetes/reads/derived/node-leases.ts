/** Node leases as objects: the twin knows only whether a kubelet renews, and since when not. */
import type { KubeObject } from '../../../../../model/kubernetes.ts';
import { nodeLeasesOf } from '../../../../kubelet/node-leases.ts';
import type { World } from '../../../../world.ts';

export const NODE_LEASE_NAMESPACE = 'kube-node-lease';
const LEASE_SECONDS = 40;

export interface LeaseObject extends KubeObject {
  readonly kind: 'Lease';
  readonly spec: {
    readonly holderIdentity: string;
    readonly leaseDurationSeconds: number;
    readonly renewTime: string;
  };
}

export function nodeLeasesShown(world: World, namespace: string | undefined): LeaseObject[] {
  if (namespace !== undefined && namespace !== NODE_LEASE_NAMESPACE) return [];
  return world.store.list('Node').map(({ metadata }) => leaseOf(world, metadata.name));
}

export function nodeLeaseOf(world: World, node: string): LeaseObject | undefined {
  const exists = world.store.get('Node', undefined, node) !== undefined;
  return exists ? leaseOf(world, node) : undefined;
}

function leaseOf({ store, kernel, constants }: World, node: string): LeaseObject {
  const { metadata } = store.get('Node', undefined, node) ?? {};
  const now = kernel.now();
  const renewed =
    nodeLeasesOf(store).lapsedSince(node) ??
    Math.floor(now / constants.nodeLeaseRenewMs) * constants.nodeLeaseRenewMs;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: node,
      namespace: NODE_LEASE_NAMESPACE,
      uid: `${metadata?.uid ?? node}-lease`,
      resourceVersion: String(store.resourceVersion),
      ...(metadata?.creationTimestamp === undefined
        ? {}
        : { creationTimestamp: metadata.creationTimestamp }),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid: metadata?.uid ?? '' }],
    },
    spec: {
      holderIdentity: node,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: new Date(kernel.epochMs + renewed).toISOString().replace('Z', '000Z'),
    },
  };
}
