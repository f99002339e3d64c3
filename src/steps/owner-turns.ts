/**
 * A budget of regauge's own: of one owner's pods only some are restarted at a time, over all nodes
 * of a wave, whether or not a PodDisruptionBudget says so. Two CoreDNS pods are never both away.
 */

/** Of an owner's replicas, at most this share is restarted at a time; at least one. */
const SHARE_AT_A_TIME = 0.25;

export class OwnerTurns {
  private readonly owners = new Map<string, { ready: number; inFlight: number }>();

  /** Takes a turn for the owner; false when enough of its pods are away already. */
  take(uid: string, replicas: number, readyNow: number): boolean {
    const owner = this.owners.get(uid) ?? { ready: 0, inFlight: 0 };
    const limit = Math.max(1, Math.floor(replicas * SHARE_AT_A_TIME));
    if (owner.inFlight >= limit) return false;
    // What was ready when nothing was in flight is what the owner has to come back to.
    if (owner.inFlight === 0) owner.ready = Math.min(readyNow, replicas);
    owner.inFlight += 1;
    this.owners.set(uid, owner);
    return true;
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
