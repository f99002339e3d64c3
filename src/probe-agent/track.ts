/**
 * The book of one path: samples by number, which were answered, and the gaps between. Nothing is
 * looked at per sample but the answer itself: what was lost follows from the numbers.
 *
 * A gap is from the first lost sample's sending to the first later answered one's; on a connection
 * that is held, to the answer, since what was written into a stall comes late and is not lost.
 */
import type { ProbeLinePath, ProbeMethod } from '../model/probe.ts';

/** An unanswered sample of this age means that the path fails now: agents echo and read a tick later each. */
const FAIL_AFTER_MS = 650;
/** On a held connection, an answer later than this was stalled. */
const LATE_MS = 550;
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
  private readonly times = new Float64Array(REMEMBERED);
  private next = 0;
  private firstAt = 0;
  /** Samples before the first answer that are not counted. */
  private forgotten = 0;
  private answeredTo = -1;
  private lostBefore = 0;
  /** When the first sample after the last answer was sent; NaN while there is none. */
  private waitingSince = Number.NaN;
  /** Answers of a held connection come late: the gap goes on. */
  private stalledSince = Number.NaN;
  private excusedTo = 0;
  private longest = 0;
  private gaps: (readonly [number, number])[] = [];
  private reason = '';
  private lastTrouble = -Infinity;

  constructor(identity: TrackIdentity) {
    this.identity = identity;
    this.held = identity.method === 'tcp-held';
  }

  /** A sample leaves now; its number. */
  sending(now: number): number {
    const number = this.next;
    if (number === 0) this.firstAt = now;
    this.next += 1;
    this.times[number % REMEMBERED] = now;
    if (Number.isNaN(this.waitingSince)) this.waitingSince = now;
    return number;
  }

  answered(number: number, now: number): void {
    if (number <= this.answeredTo || number >= this.next || number < this.next - REMEMBERED) return;
    const sentAt = this.times[number % REMEMBERED] ?? now;
    if (this.answeredTo < 0 && now - this.firstAt < GRACE_MS) this.forget(number);
    const skipped = number - this.answeredTo - 1;
    const isLate = this.held && now - Math.max(sentAt, this.excusedTo) > LATE_MS;
    this.lostBefore += skipped + (isLate ? 1 : 0);
    if ((skipped > 0 || isLate) && Number.isNaN(this.stalledSince))
      this.stalledSince = this.waitingSince;
    this.answeredTo = number;
    this.waitingSince =
      this.next > number + 1 ? (this.times[(number + 1) % REMEMBERED] ?? now) : Number.NaN;
    if (isLate || Number.isNaN(this.stalledSince)) return;
    this.close(this.held ? now : sentAt);
  }

  /** Why a sample was not answered, where something says so. */
  refused(message: string): void {
    this.reason = message;
  }

  /** The agent itself stood still until now: what waited for an answer is no later for it. */
  excuse(now: number): void {
    this.excusedTo = now;
  }

  /** The path is no more: another address has taken its place. */
  end(now: number): void {
    const since = this.failingSince(now);
    if (since === undefined) return;
    this.lostBefore += this.next - this.answeredTo - 1;
    this.answeredTo = this.next - 1;
    this.waitingSince = Number.NaN;
    this.stalledSince = since;
    this.close(now);
  }

  failingSince(now: number): number | undefined {
    if (!Number.isNaN(this.stalledSince)) return this.stalledSince;
    const { waitingSince } = this;
    if (Number.isNaN(waitingSince)) return undefined;
    return now - Math.max(waitingSince, this.excusedTo) >= FAIL_AFTER_MS ? waitingSince : undefined;
  }

  /** Worth more samples than usual. */
  isWary(now: number): boolean {
    if (this.failingSince(now) !== undefined) this.lastTrouble = now;
    return now - this.lastTrouble < WARY_MS;
  }

  get hasSent(): boolean {
    return this.next > 0;
  }

  /** What was lost so far, with what will not be answered any more. */
  lostBy(now: number): number {
    if (this.failingSince(now) === undefined) return this.lostBefore;
    let overdue = 0;
    for (let number = this.answeredTo + 1; number < this.next; number += 1) {
      const sentAt = number < this.next - REMEMBERED ? 0 : (this.times[number % REMEMBERED] ?? 0);
      if (now - sentAt >= FAIL_AFTER_MS) overdue += 1;
    }
    return this.lostBefore + overdue;
  }

  line(now: number): ProbeLinePath {
    const since = this.failingSince(now);
    const running = since === undefined ? 0 : now - since;
    return {
      ...this.identity,
      sent: this.next - this.forgotten,
      lost: this.lostBy(now),
      longestMs: Math.round(Math.max(this.longest, running)),
      gaps: this.gaps.map(([from, to]) => [Math.round(from), Math.round(to)] as const),
      ...(since === undefined
        ? {}
        : { failing: { sinceMs: Math.round(since), message: this.reason || 'no answer' } }),
      ...(this.source === undefined ? {} : { source: this.source }),
    };
  }

  private forget(before: number): void {
    this.forgotten = before;
    this.answeredTo = before - 1;
  }

  private close(end: number): void {
    const start = this.stalledSince;
    this.stalledSince = Number.NaN;
    this.longest = Math.max(this.longest, end - start);
    this.gaps = [...this.gaps.slice(1 - GAPS_MAX), [start, end]];
    this.lastTrouble = end;
    this.reason = '';
  }
}
