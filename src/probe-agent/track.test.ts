/** The book of a path: numbers and gaps from what was sent and what was answered, nothing else. */
import { describe, expect, it } from 'vitest';
import type { ProbeMethod } from '../model/probe.ts';
import { Track } from './track.ts';

const PERIOD = 100;

function track(method: ProbeMethod = 'udp'): Track {
  return new Track({ kind: 'pod', to: 'b', method, address: '10.0.0.2', periodMs: PERIOD });
}

/** Sends every 100 ms from `from` to before `to`; each is answered after `delay`, or not at all. */
function run(book: Track, from: number, to: number, delay?: number): void {
  const answers: [number, number][] = [];
  for (let now = from; now < to; now += PERIOD) {
    while (answers[0] !== undefined && answers[0][1] <= now) answer(book, answers.shift());
    const number = book.sending(now);
    if (delay !== undefined) answers.push([number, now + delay]);
  }
  for (const left of answers) answer(book, left);
}

/** A connection that was replaced after a second, with what was written into the one before. */
function skipped(stoodMs: number): Track {
  const book = track('tcp-held');
  run(book, 0, 1_000, 50);
  run(book, 1_000, 2_000);
  book.answered(book.sending(2_000), 2_050, stoodMs);
  return book;
}

function answer(book: Track, entry: readonly [number, number] | undefined): void {
  if (entry !== undefined) book.answered(entry[0], entry[1]);
}

describe('a track', () => {
  it('tells a gap from the first lost send to the first answered one after it', () => {
    const book = track();
    run(book, 0, 2_000, 200);
    run(book, 2_000, 2_700);
    run(book, 2_700, 5_000, 200);
    expect(book.line(5_000)).toMatchObject({
      sent: 50,
      lost: 7,
      longestMs: 700,
      gaps: [[2_000, 2_700]],
    });
    expect(book.line(5_000)).not.toHaveProperty('failing');
  });

  it('fails while nothing comes back, with what was lost so far', () => {
    const book = track();
    run(book, 0, 2_000, 50);
    run(book, 2_000, 4_000);
    const line = book.line(4_000);
    expect(line.failing).toEqual({ sinceMs: 2_000, message: 'no answer' });
    expect(line.longestMs).toBe(2_000);
    // The newest may still be answered.
    expect(line.lost).toBeGreaterThanOrEqual(13);
    expect(line.lost).toBeLessThan(20);
    run(book, 4_000, 4_500, 50);
    expect(book.line(4_500)).toMatchObject({ lost: 20, gaps: [[2_000, 4_000]] });
  });

  it('does not take its own standing still for loss', () => {
    const book = track();
    run(book, 0, 1_000, 50);
    const number = book.sending(1_000);
    book.excuse(4_000);
    expect(book.failingSince(4_000)).toBeUndefined();
    book.answered(number, 4_010);
    expect(book.line(4_100)).toMatchObject({ lost: 0, longestMs: 0, gaps: [] });
  });

  it('forgets what was lost before the other end was there, unless it took long', () => {
    const starting = track();
    run(starting, 0, 800);
    run(starting, 800, 2_000, 50);
    expect(starting.line(2_000)).toMatchObject({ sent: 12, lost: 0, gaps: [] });
    const late = track();
    run(late, 0, 5_000);
    run(late, 5_000, 6_000, 50);
    expect(late.line(6_000)).toMatchObject({ sent: 60, lost: 50, gaps: [[0, 5_000]] });
  });

  it('of a held connection counts a stall, though every byte came in the end', () => {
    const book = track('tcp-held');
    run(book, 0, 2_000, 50);
    const stalled = Array.from({ length: 9 }, (_, index) => book.sending(2_000 + index * PERIOD));
    for (const number of stalled) book.answered(number, 2_900);
    run(book, 2_900, 4_000, 50);
    const line = book.line(4_000);
    // Sent 900, 800 and 700 ms before.
    expect(line.lost).toBe(3);
    expect(line.gaps).toHaveLength(1);
    expect(line.longestMs).toBeGreaterThanOrEqual(800);
    expect(line.longestMs).toBeLessThanOrEqual(1_000);
  });

  it('ends its gap when another address takes the place', () => {
    const book = track();
    run(book, 0, 1_000, 50);
    run(book, 1_000, 3_000);
    book.end(3_000);
    expect(book.line(3_000)).toMatchObject({ lost: 20, gaps: [[1_000, 3_000]] });
    expect(book.line(9_000)).toMatchObject({ lost: 20, longestMs: 2_000 });
  });

  it('keeps the newest gaps, and counts them all', () => {
    const book = track();
    for (let gap = 0; gap < 6; gap += 1) {
      run(book, gap * 10_000, gap * 10_000 + 5_000, 50);
      run(book, gap * 10_000 + 5_000, gap * 10_000 + 6_000);
      run(book, gap * 10_000 + 6_000, (gap + 1) * 10_000, 50);
    }
    const line = book.line(60_000);
    expect(line.lost).toBe(60);
    expect(line.gaps).toHaveLength(4);
    expect(line.gaps.at(-1)).toEqual([55_000, 56_000]);
  });

  it('is not moved by answers that are old, foreign or twice', () => {
    const book = track();
    run(book, 0, 1_000, 50);
    book.answered(3, 1_100);
    book.answered(3, 1_200);
    book.answered(99_999, 1_300);
    expect(book.line(1_300)).toMatchObject({ sent: 10, lost: 0 });
  });

  it('is wary for a while after trouble', () => {
    const book = track();
    run(book, 0, 1_000, 50);
    expect(book.isWary(1_000)).toBe(false);
    run(book, 1_000, 2_000);
    expect(book.isWary(2_000)).toBe(true);
    run(book, 2_000, 3_000, 50);
    expect(book.isWary(3_000)).toBe(true);
    run(book, 3_000, 9_000, 50);
    expect(book.isWary(9_000)).toBe(false);
  });

  it('does not take a connection that another has overtaken for lost', () => {
    for (const method of ['http', 'tcp-new', 'dns'] as const) {
      const book = track(method);
      run(book, 0, 1_000, 50);
      const slow = book.sending(1_000);
      run(book, 1_100, 1_400, 50);
      expect(book.line(1_400)).toMatchObject({ lost: 0, gaps: [] });
      expect(book.isWary(1_400)).toBe(false);
      book.answered(slow, 1_500);
      expect(book.line(3_000)).toMatchObject({ sent: 14, lost: 0, longestMs: 0, gaps: [] });
    }
  });

  it('takes one that never answers for lost when it is old enough', () => {
    const book = track('http');
    run(book, 0, 1_000, 50);
    book.sending(1_000);
    run(book, 1_100, 2_000, 50);
    expect(book.line(2_000)).toMatchObject({ lost: 1, gaps: [[1_000, 1_100]] });
  });

  it('of a connection whose other end stood still knows nothing, and calls nothing lost', () => {
    const book = track('tcp-held');
    run(book, 0, 1_000, 50);
    const waiting = Array.from({ length: 20 }, (_, index) => book.sending(1_000 + index * PERIOD));
    // It says: for two seconds nobody let me run.
    for (const number of waiting) book.answered(number, 3_000, 2_000);
    run(book, 3_000, 4_000, 50);
    const line = book.line(4_000);
    expect(line).toMatchObject({ lost: 0, longestMs: 0, gaps: [] });
    expect(line.unknown).toBeGreaterThan(10);
    expect(line.sent + (line.unknown ?? 0)).toBe(40);
  });

  it('of an end that stood still for less than the network took still tells the loss', () => {
    const book = track('tcp-held');
    run(book, 0, 1_000, 50);
    const waiting = Array.from({ length: 20 }, (_, index) => book.sending(1_000 + index * PERIOD));
    for (const number of waiting) book.answered(number, 3_000, 300);
    run(book, 3_000, 4_000, 50);
    const line = book.line(4_000);
    expect(line.lost).toBeGreaterThanOrEqual(11);
    expect(line.gaps).toEqual([[1_000, 3_000]]);
  });

  it('forgives what went with a connection to an end that stood still, and nothing else', () => {
    expect(skipped(1_200).line(2_100)).toMatchObject({ lost: 0, unknown: 10, gaps: [] });
    expect(skipped(0).line(2_100)).toMatchObject({ lost: 10, gaps: [[1_000, 2_050]] });
  });
});
