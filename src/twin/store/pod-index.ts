/**
 * Pods by node and by owner, and how many of a controller's pods count: kept by differences, since
 * controllers ask after every change of a pod, and an owner may have hundreds.
 */
import { controllerOf, type PodObject } from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';

/** A pod's place in the store. */
export interface PodEntry {
  object: PodObject;
}

/** Of the pods a controller owns: those that count (not finished, not on their way out), and the ready ones of these. */
export interface PodTally {
  readonly active: number;
  readonly ready: number;
}

interface Owned {
  readonly entries: Set<PodEntry>;
  active: number;
  ready: number;
}

const NONE: PodTally = { active: 0, ready: 0 };

export class PodIndex {
  private readonly byNode = new Map<string, Set<PodEntry>>();
  private readonly byOwner = new Map<string, Owned>();

  on(node: string): Iterable<PodEntry> {
    return this.byNode.get(node) ?? [];
  }

  of(ownerUid: string): Iterable<PodEntry> {
    return this.byOwner.get(ownerUid)?.entries ?? [];
  }

  tally(ownerUid: string): PodTally {
    return this.byOwner.get(ownerUid) ?? NONE;
  }

  add(entry: PodEntry): void {
    this.place(entry);
    this.count(entry.object, 1);
  }

  remove(entry: PodEntry): void {
    const { spec, metadata } = entry.object;
    if (spec.nodeName !== undefined) this.byNode.get(spec.nodeName)?.delete(entry);
    for (const { uid } of metadata.ownerReferences ?? [])
      this.byOwner.get(uid)?.entries.delete(entry);
    this.count(entry.object, -1);
  }

  /** The entry gets the new version of its pod. */
  replace(entry: PodEntry, pod: PodObject): void {
    const old = entry.object;
    const isOthers = old.metadata.ownerReferences !== pod.metadata.ownerReferences;
    // Most writes of a pod leave it counting as it did.
    const counts = isOthers || weightOf(old) !== weightOf(pod);
    const moves = isOthers || old.spec.nodeName !== pod.spec.nodeName;
    if (counts) this.count(old, -1);
    if (moves) this.leave(entry, pod);
    entry.object = pod;
    if (moves) this.place(entry);
    if (counts) this.count(pod, 1);
  }

  private place(entry: PodEntry): void {
    const { spec, metadata } = entry.object;
    if (spec.nodeName !== undefined) {
      let pods = this.byNode.get(spec.nodeName);
      if (pods === undefined) this.byNode.set(spec.nodeName, (pods = new Set()));
      pods.add(entry);
    }
    for (const { uid } of metadata.ownerReferences ?? []) this.ownedBy(uid).entries.add(entry);
  }

  /** Places that stay keep the entry, and with it their order. */
  private leave(entry: PodEntry, { spec, metadata }: PodObject): void {
    const { nodeName } = entry.object.spec;
    if (nodeName !== undefined && nodeName !== spec.nodeName)
      this.byNode.get(nodeName)?.delete(entry);
    for (const { uid } of entry.object.metadata.ownerReferences ?? []) {
      const stays = metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
      if (!stays) this.byOwner.get(uid)?.entries.delete(entry);
    }
  }

  private count(pod: PodObject, sign: 1 | -1): void {
    if (!isActive(pod)) return;
    const owner = controllerOf(pod);
    if (owner === undefined) return;
    const owned = this.ownedBy(owner.uid);
    owned.active += sign;
    if (isPodReady(pod)) owned.ready += sign;
  }

  private ownedBy(uid: string): Owned {
    let owned = this.byOwner.get(uid);
    if (owned === undefined)
      this.byOwner.set(uid, (owned = { entries: new Set(), active: 0, ready: 0 }));
    return owned;
  }
}

type Weight = 'none' | 'active' | 'ready';

/** What it counts for. */
function weightOf(pod: PodObject): Weight {
  if (!isActive(pod)) return 'none';
  return isPodReady(pod) ? 'ready' : 'active';
}

/** Not finished, not on its way out: it counts for its owner. */
export function isActive(pod: PodObject): boolean {
  const { phase } = pod.status;
  return (
    pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed'
  );
}
