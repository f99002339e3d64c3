/**
 * A budget of regauge's own: of one owner's pods only some are restarted at a time, over all nodes
 * of a wave, whether or not a PodDisruptionBudget says so. Two CoreDNS pods are never both away.
 */

import { OwnerLooks, type OwnerState } from './owners.ts';

/** Of an owner's replicas, at most this share is restarted at a time; at least one. */
const SHARE_AT_A_TIME = 0.25;

/**
 * How long an owner that has not all its pods ready is waited for (milliseconds). A run that was killed
 * has left a pod on its way back, and the next one knows nothing of it; an owner that never gets ready
 * holds nobody up for good.
 */
const SETTLE_MS = 120_000;

interface Turns {
  limit: number;
  ready: number;
  inFlight: number;
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

  /** No turn would be given now, whatever the owner's state is: it need not be asked for. */
  isTaken(uid: string, now: number): boolean {
    const known = this.owners.get(uid);
    if (known === undefined) return false;
    return known.inFlight + known.asking >= known.limit || now < known.refusedUntil;
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
    if (known.inFlight >= known.limit || now < known.refusedUntil) return false;
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

  /** A budget let none of the owner's pods go: nobody asks again for a while, on any node. */
  refused(uid: string, until: number): void {
    const known = this.owners.get(uid);
    if (known !== undefined) known.refusedUntil = until;
  }

  /** How many of the owner's pods must be ready for one of its turns to be over. */
  wanted(uid: string): number {
    const owner = this.owners.get(uid);
    return owner === undefined ? 0 : owner.ready - (owner.inFlight - 1);
  }

  give(uid: string): void {
    const owner = this.owners.get(uid);
    if (owner !== undefined) owner.inFlight = Math.max(0, owner.inFlight - 1);
  }
}

const NOTHING = (): void => undefined;

function noTurns(): Turns {
  return { limit: 1, ready: 0, inFlight: 0, asking: 0, refusedUntil: 0, shortSince: undefined };
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
