/**
 * Node leases. A thousand kubelets renewing every ten seconds would be all a rehearsal does, so a
 * renewal is no event: a lease is being renewed, or has not been since a time.
 */
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';

export type LeaseListener = (node: string, renewing: boolean) => void;

export class NodeLeases {
  private readonly lapsed = new Map<string, number>();
  private readonly listeners: LeaseListener[] = [];

  /** The kubelet renews from now on. */
  hold(node: string): void {
    if (!this.lapsed.delete(node)) return;
    for (const listener of this.listeners) listener(node, true);
  }

  /** The kubelet has stopped; its last renewal was at `lastRenewal` (virtual milliseconds). */
  lapse(node: string, lastRenewal: number): void {
    if (this.lapsed.has(node)) return;
    this.lapsed.set(node, lastRenewal);
    for (const listener of this.listeners) listener(node, false);
  }

  /** When the lease was last renewed; undefined while it is being renewed. */
  lapsedSince(node: string): number | undefined {
    return this.lapsed.get(node);
  }

  onChange(listener: LeaseListener): void {
    this.listeners.push(listener);
  }
}

const leases = new WeakMap<ObjectStore, NodeLeases>();

export function nodeLeasesOf(store: ObjectStore): NodeLeases {
  let found = leases.get(store);
  if (found === undefined) leases.set(store, (found = new NodeLeases()));
  return found;
}

/** A moment of the last renewal period, as good as any other. */
export function lastRenewal(kernel: Kernel, renewMs: number, unit: number): number {
  return kernel.now() - Math.floor(unit * renewMs);
}
