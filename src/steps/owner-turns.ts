/**
 * A budget of regauge's own: of one owner's pods only some are restarted at a time, over all nodes
 * of a wave, whether or not a PodDisruptionBudget says so. Two CoreDNS pods are never both away.
 */

import { OwnerLooks, type OwnerState } from './owners.ts';

/** Of an owner's replicas, at most this share is restarted at a time; at least one. */
const SHARE_AT_A_TIME = 0.25;

/** A budget may have been widened, or had other pods in mind: after so many turns one more is tried. */
const TRY_MORE_AFTER = 10;

/**
 * How long an owner that has not all its pods ready is waited for (milliseconds). A run that was killed
 * has left a pod on its way back, and the next one knows nothing of it; an owner that never gets ready
 * holds nobody up for good.
 */
const SETTLE_MS = 120_000;

export interface Turns {
  limit: number;
  /** How many a budget let be away at a time when it last refused one. */
  allowed: number;
  /** Turns that are over since then. */
  overSince: number;
  ready: number;
  inFlight: number;
  /** Of the turns in flight, those whose pod was let go; the others are only being asked for. */
  away: number;
  /** When the last of them was let go. */
  wentAt: number;
  /** Who asks for the owner now, to take a turn of it. */
  asking: number;
  refusedUntil: number;
  /** When it was first seen short of pods that we did not take; undefined while it is whole. */
  shortSince: number | undefined;
}

export class OwnerTurns {
  /** Shared as the turns are: by all steps of a run. */
  readonly looks = new OwnerLooks();
  private readonly owners = new Map<string, Turns>();

  /** What is known of the owner: one object, from the first time that a turn was asked for. */
  of(uid: string): Turns | undefined {
    return this.owners.get(uid);
  }

  /** The owner's state is being asked for, to take a turn; call what is returned with the answer. */
  ask(uid: string): () => void {
    const known = this.owners.get(uid);
    if (known === undefined) return NOTHING;
    known.asking += 1;
    return () => (known.asking -= 1);
  }

  /** Takes a turn for the owner; false when enough of its pods are away, or a budget just said no. */
  take(owner: OwnerState, now: number): boolean {
    const known = this.owners.get(owner.uid) ?? noTurns();
    known.limit = Math.max(1, Math.floor(owner.replicas * SHARE_AT_A_TIME));
    if (known.inFlight >= mostOf(known) || now < known.refusedUntil) return false;
    if (known.inFlight === 0 && isShort(known, owner, now)) {
      this.owners.set(owner.uid, known);
      return false;
    }
    // What was ready when nothing was in flight is what the owner has to come back to.
    if (known.inFlight === 0) known.ready = Math.min(owner.ready, owner.replicas);
    known.inFlight += 1;
    this.owners.set(owner.uid, known);
    return true;
  }

  /**
   * A budget did not let a pod go that had a turn; that is over. From now on no more turns are given
   * at a time than pods are away now; with none away nobody asks for a while, on any node.
   */
  refused(uid: string, until: number): void {
    const known = this.owners.get(uid);
    if (known === undefined) return;
    known.inFlight = Math.max(0, known.inFlight - 1);
    if (known.inFlight === 0) known.refusedUntil = until;
    known.allowed = Math.max(1, known.inFlight);
    known.overSince = 0;
  }

  /** The pod of a turn was let go. */
  went(uid: string, now: number): void {
    const known = this.owners.get(uid);
    if (known === undefined) return;
    known.away += 1;
    known.wentAt = now;
  }

  /**
   * How many of the owner's pods must be ready, as asked for at that time, for one of its turns to be
   * over. What was asked for before the last pod went counts that pod as ready: it tells nothing.
   */
  wanted(uid: string, askedAt: number): number {
    const owner = this.owners.get(uid);
    if (owner === undefined) return 0;
    return askedAt <= owner.wentAt ? owner.ready : owner.ready - (owner.away - 1);
  }

  give(uid: string): void {
    const owner = this.owners.get(uid);
    if (owner === undefined) return;
    owner.inFlight = Math.max(0, owner.inFlight - 1);
    owner.away = Math.min(owner.inFlight, Math.max(0, owner.away - 1));
    owner.overSince += 1;
    if (owner.overSince < TRY_MORE_AFTER) return;
    owner.allowed += 1;
    owner.overSince = 0;
  }
}

/** No turn would be given now, whatever the owner's state is: it need not be asked for. */
export function areTaken(turns: Turns, now: number): boolean {
  return turns.inFlight + turns.asking >= mostOf(turns) || now < turns.refusedUntil;
}

function mostOf({ limit, allowed }: Turns): number {
  return Math.min(limit, allowed);
}

const NOTHING = (): void => undefined;

function noTurns(): Turns {
  return {
    limit: 1,
    allowed: Number.POSITIVE_INFINITY,
    overSince: 0,
    ready: 0,
    inFlight: 0,
    away: 0,
    wentAt: -Infinity,
    asking: 0,
    refusedUntil: 0,
    shortSince: undefined,
  };
}

/** Pods of its are away that are none of our turns, and not for so long that it is just like that. */
function isShort(known: Turns, owner: OwnerState, now: number): boolean {
  if (owner.ready >= owner.replicas) {
    known.shortSince = undefined;
    return false;
  }
  known.shortSince ??= now;
  return now - known.shortSince < SETTLE_MS;
}
