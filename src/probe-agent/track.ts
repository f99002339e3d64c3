/**
 * The book of one path: samples by number, which were answered, and the gaps between.
 *
 * A gap is from the first lost sample's sending to the first later answered one's; on a connection
 * that is held, to the answer, since what was written into a stall comes late and is not lost. Of
 * samples that are connections of their own, or questions, a later one may be answered first: that
 * says nothing of the others until they are as old as what is lost. An end
 * that stood still (its node had no processor for it) says for how long: what waited for it, and did
 * not for the network, is neither answered nor lost.
 */
import type { ProbeLinePath, ProbeMethod } from '../model/probe.ts';

/** An unanswered sample of this age means that the path fails now: agents echo and read a tick later each. */
const FAIL_AFTER_MS = 650;
/**
 * On a held connection, an answer later than this was stalled: a frame is answered within 250 ms, the
 * answer read within 200, and the rest is for agents that wake late, and by too little to excuse it.
 */
const LATE_MS = FAIL_AFTER_MS;
/** Before the first answer the other end may be starting: what is lost within this time is forgotten. */
const GRACE_MS = 2_000;
/** Sending times that are remembered; an answer to an older sample is taken for none. */
const REMEMBERED = 128;
const GAPS_MAX = 4;
/** A path that has failed is watched closely for this long. */
const WARY_MS = 5_000;

export interface TrackIdentity {
  readonly kind: ProbeLinePath['kind'];
  readonly to: string;
  readonly method: ProbeMethod;
  readonly address: string;
  readonly periodMs: number;
}

export class Track {
  readonly identity: TrackIdentity;
  source: string | undefined;
  private readonly held: boolean;
  /** Answers come in the order of the samples: what was skipped is lost. */
  private readonly isOneFlow: boolean;
  private readonly times = new Float64Array(REMEMBERED);
  private readonly hasAnswer = new Uint8Array(REMEMBERED);
  private next = 0;
  /** All before this one are answered, lost or unknown. */
  private settled = 0;
  /** The newest that was answered. */
  private newest = -1;
  /** Samples before the first answer that are not counted. */
  private forgotten = 0;
  private unknown = 0;
  private lostBefore = 0;
  /** When the first lost sample of a gap that is not over was sent; NaN while there is none. */
  private gapSince = Number.NaN;
  private excusedTo = 0;
  private longest = 0;
  private gaps: (readonly [number, number])[] = [];
  private reason = '';
  private lastTrouble = -Infinity;

  constructor(identity: TrackIdentity) {
    this.identity = identity;
    const { method } = identity;
    this.held = method === 'tcp-held';
    this.isOneFlow = method === 'udp' || method === 'udp-full';
  }

  /** How long the oldest sample has waited of which it is open what becomes of it; -1 where none does. */
  waitingFor(now: number): number {
    return this.settled < this.next ? now - this.sentAt(this.settled) : -1;
  }

  get hasSent(): boolean {
    return this.next > 0;
  }

  /** A sample leaves now; its number. */
  sending(now: number): number {
    const number = this.next;
    if (number - this.settled >= REMEMBERED) this.settleOldest();
    this.next += 1;
    this.times[number % REMEMBERED] = now;
    this.hasAnswer[number % REMEMBERED] = 0;
    return number;
  }

  /** `stoodMs`: how long the other end stood still before it answered. */
  answered(number: number, now: number, stoodMs = 0): void {
    if (number < this.settled || number >= this.next) return;
    if (this.newest < 0 && now - this.sentAt(0) < GRACE_MS) this.forget(number);
    if (number > this.newest) this.newest = number;
    if (this.held) {
      this.answeredInTurn(number, now, stoodMs);
      return;
    }
    this.hasAnswer[number % REMEMBERED] = 1;
    if (this.isOneFlow) while (this.settled < number) this.settleOldest();
    this.settle(now);
  }

  /** Why a sample was not answered, where something says so. */
  refused(message: string): void {
    this.reason = message;
  }

  /** The agent itself stood still until now: what waited for an answer is no later for it. */
  excuse(now: number): void {
    this.excusedTo = now;
  }

  /** Milliseconds since then in which the agent could have taken an answer. */
  waited(since: number, now: number): number {
    return now - Math.max(since, this.excusedTo);
  }

  /** The path is no more: another address has taken its place. */
  end(now: number): void {
    if (this.failingSince(now) === undefined) return;
    while (this.settled < this.next) this.settleOldest();
    if (!Number.isNaN(this.gapSince)) this.close(now);
  }

  failingSince(now: number): number | undefined {
    this.settle(now);
    if (!Number.isNaN(this.gapSince)) return this.gapSince;
    if (this.settled === this.next) return undefined;
    const since = this.sentAt(this.settled);
    return this.waited(since, now) >= FAIL_AFTER_MS ? since : undefined;
  }

  /** Worth more samples than usual. */
  isWary(now: number): boolean {
    if (this.failingSince(now) !== undefined) this.lastTrouble = now;
    return now - this.lastTrouble < WARY_MS;
  }

  /** What was lost so far, with what will not be answered any more. */
  lostBy(now: number): number {
    if (this.failingSince(now) === undefined) return this.lostBefore;
    let overdue = 0;
    for (let number = this.settled; number < this.next; number += 1)
      if (this.isOverdue(number, now)) overdue += 1;
    return this.lostBefore + overdue;
  }

  line(now: number): ProbeLinePath {
    const since = this.failingSince(now);
    const running = since === undefined ? 0 : now - since;
    return {
      ...this.identity,
      sent: this.next - this.forgotten - this.unknown,
      lost: this.lostBy(now),
      longestMs: Math.round(Math.max(this.longest, running)),
      gaps: this.gaps.map(([from, to]) => [Math.round(from), Math.round(to)] as const),
      ...(this.unknown === 0 ? {} : { unknown: this.unknown }),
      ...(since === undefined
        ? {}
        : { failing: { sinceMs: Math.round(since), message: this.reason || 'no answer' } }),
      ...(this.source === undefined ? {} : { source: this.source }),
    };
  }

  /** Answers of a connection come in turn: what was skipped went with a connection before. */
  private answeredInTurn(number: number, now: number, stoodMs: number): void {
    while (this.settled < number) this.settleLate(now, stoodMs);
    if (this.settleLate(now, stoodMs) && !Number.isNaN(this.gapSince)) this.close(now);
  }

  /** Whether the oldest one was no later than it may be. */
  private settleLate(now: number, stoodMs: number): boolean {
    const sentAt = this.sentAt(this.settled);
    const isSkipped = this.settled < this.newest;
    const isLate = isSkipped || now - sentAt > LATE_MS;
    if (!isLate) {
      this.settled += 1;
      return true;
    }
    if (this.waited(sentAt, now) - stoodMs > LATE_MS) {
      this.lose();
      return false;
    }
    const isForgiven = stoodMs > 0 || this.excusedTo > sentAt;
    if (isSkipped && !isForgiven) {
      this.lose();
      return false;
    }
    this.settled += 1;
    this.unknown += 1;
    return !isSkipped;
  }

  /** In their order, as far as it is known what became of them. */
  private settle(now: number): void {
    if (this.held) return;
    while (this.settled < this.next) {
      const hasAnswer = this.hasAnswer[this.settled % REMEMBERED] === 1;
      const mayCome = this.settled > this.newest || !this.isOverdue(this.settled, now);
      if (!hasAnswer && mayCome) return;
      this.settleOldest();
    }
  }

  private settleOldest(): void {
    if (this.hasAnswer[this.settled % REMEMBERED] === 1) {
      if (!Number.isNaN(this.gapSince)) this.close(this.sentAt(this.settled));
      this.settled += 1;
    } else this.lose();
  }

  private lose(): void {
    this.lostBefore += 1;
    if (Number.isNaN(this.gapSince)) this.gapSince = this.sentAt(this.settled);
    this.settled += 1;
  }

  private isOverdue(number: number, now: number): boolean {
    return this.waited(this.sentAt(number), now) >= FAIL_AFTER_MS;
  }

  private sentAt(number: number): number {
    return this.times[number % REMEMBERED] ?? 0;
  }

  private forget(before: number): void {
    this.forgotten = before;
    this.settled = before;
  }

  private close(end: number): void {
    const start = this.gapSince;
    this.gapSince = Number.NaN;
    this.longest = Math.max(this.longest, end - start);
    this.gaps = [...this.gaps.slice(1 - GAPS_MAX), [start, end]];
    this.lastTrouble = end;
    this.reason = '';
  }
}
