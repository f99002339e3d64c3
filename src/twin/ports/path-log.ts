/**
 * What was seen of one path: time it was measured, time it lost packets, and the gaps, per pair of
 * classes, since a probe pod moves from the old network to the new one. Numbers of packets follow
 * from times and the sending rate: nothing is sent one by one.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { PathClass, PathObservation } from '../../model/rehearsal.ts';

export type Seen =
  /** The sender does not run, or the receiver never has: nothing is sent. */
  | { readonly kind: 'off' }
  | { readonly kind: 'ok'; readonly sourceSeen: string | null }
  | {
      readonly kind: 'failing';
      readonly message: string;
      readonly because: readonly OccurrenceId[];
    };

interface Tally {
  readonly from: PathClass;
  readonly to: PathClass;
  measuredMs: number;
  lostMs: number;
  longestGapMs: number;
  sourceSeen: string | null;
  readonly gaps: (readonly [number, number])[];
}

/** Gaps listed per pair of classes; later ones still count in the sums. */
const GAPS_MAX = 32;

const OFF: Seen = { kind: 'off' };

type Failing = Extract<Seen, { kind: 'failing' }>;

export class PathLog {
  private readonly tallies: Tally[] = [];
  private state: Seen = OFF;
  private since = 0;
  private bookedTo = 0;
  private tally: Tally | undefined;
  /** Of the gap that is open or was last: what began it, and what held longest before the present. */
  private first: Failing | undefined;
  private longest: { readonly seen: Failing; readonly ms: number } | undefined;
  private reasonSince = 0;

  get seen(): Seen {
    return this.state;
  }

  get sinceMs(): number {
    return this.since;
  }

  /** Whether anything was ever sent. */
  get used(): boolean {
    return this.tallies.length > 0;
  }

  /** The classes of the running interval; those of its start while it fails. */
  get classes(): { readonly from: PathClass; readonly to: PathClass } | undefined {
    return this.tally;
  }

  /** Takes the state from now on; true when it begins or ends to fail. */
  note(now: number, seen: Seen, from: PathClass, to: PathClass): boolean {
    const failed = this.state.kind === 'failing';
    const fails = seen.kind === 'failing';
    this.weigh(now, seen);
    if (failed && fails) {
      // One gap goes on, whatever its reason is now; the newest reason is shown.
      this.state = seen;
      return false;
    }
    this.close(now);
    this.state = seen;
    this.since = now;
    this.tally = seen.kind === 'off' ? undefined : this.tallyOf(from, to);
    if (seen.kind === 'ok' && this.tally !== undefined) this.tally.sourceSeen = seen.sourceSeen;
    return failed !== fails;
  }

  /**
   * Why the gap that is open, or the one before, was what it was: the words of what held longest,
   * because of that and of what began it.
   */
  reasonOfGap(now: number): Failing | undefined {
    const { state, first, longest } = this;
    const ms = state.kind === 'failing' ? now - this.reasonSince : 0;
    const main = state.kind === 'failing' && ms > (longest?.ms ?? -1) ? state : longest?.seen;
    if (main === undefined || first === undefined || first === main) return main;
    return { ...main, because: [...new Set([...first.because, ...main.because])] };
  }

  private weigh(now: number, seen: Seen): void {
    const { state } = this;
    if (state.kind === 'failing') {
      if (seen.kind === 'failing' && seen.message === state.message) return;
      const ms = now - this.reasonSince;
      if (this.longest === undefined || ms > this.longest.ms) this.longest = { seen: state, ms };
    } else if (seen.kind === 'failing') {
      this.first = seen;
      this.longest = undefined;
    }
    this.reasonSince = now;
  }

  /** Up to now, per pair of classes. */
  observations(
    now: number,
    nodes: { readonly from: string; readonly to: string },
    options: { readonly protocol: PathObservation['protocol']; readonly periodMs: number },
  ): readonly PathObservation[] {
    this.close(now);
    return this.tallies
      .filter(({ measuredMs }) => measuredMs > 0)
      .map((tally) => ({
        from: { class: tally.from, node: nodes.from },
        to: { class: tally.to, node: nodes.to },
        protocol: options.protocol,
        sent: Math.floor(tally.measuredMs / options.periodMs),
        lost: Math.floor(tally.lostMs / options.periodMs),
        longestGapMs: tally.longestGapMs,
        sourceSeen: tally.sourceSeen,
        gaps: tally.gaps.map(([start, end]) => [start / 1000, end / 1000] as const),
      }));
  }

  /** Books the running interval up to now and lets it go on. */
  private close(now: number): void {
    const { tally, state, since } = this;
    const length = now - this.bookedTo;
    this.bookedTo = now;
    if (tally === undefined || length <= 0) return;
    tally.measuredMs += length;
    if (state.kind !== 'failing') return;
    tally.lostMs += length;
    tally.longestGapMs = Math.max(tally.longestGapMs, now - since);
    if (tally.gaps.at(-1)?.[0] === since) tally.gaps[tally.gaps.length - 1] = [since, now];
    else if (tally.gaps.length < GAPS_MAX) tally.gaps.push([since, now]);
  }

  private tallyOf(from: PathClass, to: PathClass): Tally {
    let tally = this.tallies.find((entry) => entry.from === from && entry.to === to);
    if (tally === undefined) {
      tally = { from, to, measuredMs: 0, lostMs: 0, longestGapMs: 0, sourceSeen: null, gaps: [] };
      this.tallies.push(tally);
    }
    return tally;
  }
}
