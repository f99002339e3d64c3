/**
 * What can be wrong with a control plane besides its machines: members of etcd that have failed on a
 * machine that is up, and a clock of the API server that is off.
 */
import type { ObjectStore } from '../store/object-store.ts';

export interface ControlPlaneDisturbances {
  /** Nodes whose member of etcd does not serve. */
  readonly failedMembers: Set<string>;
  /** How far the clock that judges tokens is behind (milliseconds). */
  clockBehindMs: number;
}

const known = new WeakMap<ObjectStore, ControlPlaneDisturbances>();

export function disturbancesOf(store: ObjectStore): ControlPlaneDisturbances {
  let found = known.get(store);
  if (found === undefined)
    known.set(store, (found = { failedMembers: new Set(), clockBehindMs: 0 }));
  return found;
}
