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

interface OnNode {
  readonly entries: Set<PodEntry>;
  /** Their pods, as they were listed last; undefined once one of them has changed. */
  listed: readonly PodObject[] | undefined;
}

interface Owned {
  readonly entries: Set<PodEntry>;
  active: number;
  ready: number;
}

const NONE: PodTally = { active: 0, ready: 0 };
const NOBODY: readonly PodObject[] = [];

export class PodIndex {
  private readonly byNode = new Map<string, OnNode>();
  private readonly byOwner = new Map<string, Owned>();

  /** The same list until a pod there changes: nodes are looked at more often than that. */
  on(node: string): readonly PodObject[] {
    const here = this.byNode.get(node);
    if (here === undefined) return NOBODY;
    here.listed ??= Array.from(here.entries, ({ object }) => object);
    return here.listed;
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
    this.takeFrom(spec.nodeName, entry);
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
    else this.changedOn(pod.spec.nodeName);
    if (counts) this.count(pod, 1);
  }

  private place(entry: PodEntry): void {
    const { spec, metadata } = entry.object;
    if (spec.nodeName !== undefined) {
      let here = this.byNode.get(spec.nodeName);
      if (here === undefined)
        this.byNode.set(spec.nodeName, (here = { entries: new Set(), listed: undefined }));
      here.entries.add(entry);
      here.listed = undefined;
    }
    for (const { uid } of metadata.ownerReferences ?? []) this.ownedBy(uid).entries.add(entry);
  }

  /** Places that stay keep the entry, and with it their order. */
  private leave(entry: PodEntry, { spec, metadata }: PodObject): void {
    const { nodeName } = entry.object.spec;
    if (nodeName !== spec.nodeName) this.takeFrom(nodeName, entry);
    for (const { uid } of entry.object.metadata.ownerReferences ?? []) {
      const stays = metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
      if (!stays) this.byOwner.get(uid)?.entries.delete(entry);
    }
  }

  private takeFrom(node: string | undefined, entry: PodEntry): void {
    if (node !== undefined) this.byNode.get(node)?.entries.delete(entry);
    this.changedOn(node);
  }

  private changedOn(node: string | undefined): void {
    const here = node === undefined ? undefined : this.byNode.get(node);
    if (here !== undefined) here.listed = undefined;
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
