/** Lines of agents become paths between classes, whatever starts again, moves or is read late. */
import { describe, expect, it } from 'vitest';
import type { ProbeLine, ProbeLinePath } from '../../model/probe.ts';
import { PathBook } from './path-book.ts';

const TO_B = {
  kind: 'pod',
  to: 'b',
  method: 'udp',
  address: '10.244.2.9',
  periodMs: 100,
} as const;

function path(more: Partial<ProbeLinePath> = {}): ProbeLinePath {
  return { ...TO_B, sent: 100, lost: 0, longestMs: 0, gaps: [], ...more };
}

function line(
  upMs: number,
  paths: readonly ProbeLinePath[],
  more: Partial<ProbeLine> = {},
): ProbeLine {
  return {
    probe: 1,
    end: 'pod',
    node: 'a',
    boot: 'first',
    upMs,
    address: '10.244.1.5',
    paths,
    ...more,
  };
}

const NEW = ['10.245.0.0/16'];

describe('a book of paths', () => {
  it('counts from when it was opened', () => {
    const book = new PathBook(NEW);
    book.take(
      line(60_000, [path({ sent: 600, lost: 40, gaps: [[10_000, 14_000]], longestMs: 4_000 })]),
      100_000,
    );
    book.open(100_000);
    expect(book.observations()).toEqual([]);
    book.take(
      line(70_000, [
        path({
          sent: 700,
          lost: 47,
          longestMs: 4_000,
          gaps: [
            [10_000, 14_000],
            [65_000, 65_700],
          ],
        }),
      ]),
      110_000,
    );
    expect(book.observations()).toMatchObject([
      {
        from: { class: 'pod-old', node: 'a' },
        to: { class: 'pod-old', node: 'b' },
        sent: 100,
        lost: 7,
        longestGapMs: 700,
        gaps: [[5, 5.7]],
      },
    ]);
  });

  it('takes the reading that came soonest for where an agent’s time begins', () => {
    const book = new PathBook(NEW);
    book.open(0);
    book.take(line(1_000, [path()]), 9_000);
    book.take(line(3_000, [path({ gaps: [[2_000, 2_500]] })]), 4_000);
    book.take(line(5_000, [path({ gaps: [[2_000, 2_500]] })]), 8_000);
    expect(book.observations()[0]?.gaps).toEqual([[3, 3.5]]);
  });

  it('adds what an agent said before it started again, and after', () => {
    const book = new PathBook(NEW);
    book.open(0);
    book.take(line(10_000, [path({ sent: 100, lost: 3 })]), 10_000);
    book.take(line(1_000, [path({ sent: 10, lost: 1 })], { boot: 'second' }), 20_000);
    expect(book.observations()).toMatchObject([{ sent: 110, lost: 4 }]);
  });

  it('books a pod that moved to the new network apart, at either end', () => {
    const book = new PathBook(NEW);
    book.open(0);
    const old = path({ sent: 50 });
    const moved = path({ sent: 20, address: '10.245.0.7' });
    book.take(line(10_000, [old, moved]), 10_000);
    book.take(line(1_000, [path({ sent: 5 })], { boot: 'second', address: '10.245.1.4' }), 20_000);
    const classes = book.observations().map(({ from, to, sent }) => [from.class, to.class, sent]);
    expect(classes).toEqual([
      ['pod-old', 'pod-old', 50],
      ['pod-old', 'pod-new', 20],
      ['pod-new', 'pod-old', 5],
    ]);
  });

  it('tells what fails now, once per path, and nothing of an agent whose pod is gone', () => {
    const book = new PathBook(NEW);
    const failing = { sinceMs: 8_000, message: 'no answer' };
    const later = { sinceMs: 9_000, message: 'no answer' };
    book.take(line(10_000, [path({ failing }), path({ method: 'http', failing: later })]), 50_000);
    expect(book.failing(51_000)).toEqual([
      {
        from: { class: 'pod-old', node: 'a' },
        to: { class: 'pod-old', node: 'b' },
        sinceMs: 3_000,
        message: 'UDP: no answer',
      },
    ]);
    book.gone('pod', 'a');
    expect(book.failing(52_000)).toEqual([]);
  });

  it('remembers gaps that a later line has no room for', () => {
    const book = new PathBook(NEW);
    book.open(0);
    book.take(line(3_000, [path({ gaps: [[1_000, 1_200]] })]), 3_000);
    book.take(line(9_000, [path({ gaps: [[5_000, 5_300]] })]), 9_000);
    expect(book.observations()[0]?.gaps).toEqual([
      [1, 1.2],
      [5, 5.3],
    ]);
  });
});
