import { expect, it } from 'vitest';
import { PathLog, type Seen } from './path-log.ts';

const OK: Seen = { kind: 'ok', sourceSeen: '10.244.0.2' };
const FAILING: Seen = { kind: 'failing', message: 'no route', because: [] };
const NODES = { from: 'a', to: 'b' };
const OPTIONS = { protocol: 'udp', periodMs: 100 } as const;

it('reckons packets, losses and the longest gap from times', () => {
  const log = new PathLog();
  log.note(1_000, OK, 'pod-old', 'pod-old');
  log.note(5_000, FAILING, 'pod-old', 'pod-old');
  log.note(6_500, OK, 'pod-old', 'pod-old');
  const [only] = log.observations(11_000, NODES, OPTIONS);
  expect(only).toMatchObject({ sent: 100, lost: 15, longestGapMs: 1_500, gaps: [[5, 6.5]] });
});

it('books a gap that goes on once, however often it is asked', () => {
  const log = new PathLog();
  log.note(0, FAILING, 'pod-old', 'egress');
  log.observations(1_000, NODES, OPTIONS);
  log.note(1_500, { ...FAILING, message: 'another reason' }, 'pod-old', 'egress');
  const [only] = log.observations(4_000, NODES, OPTIONS);
  expect(only).toMatchObject({ sent: 40, lost: 40, longestGapMs: 4_000, gaps: [[0, 4]] });
});

it('counts nothing while the sender is off', () => {
  const log = new PathLog();
  log.note(0, OK, 'pod-old', 'pod-old');
  log.note(1_000, { kind: 'off' }, 'pod-old', 'pod-old');
  log.note(60_000, OK, 'pod-new', 'pod-old');
  const all = log.observations(61_000, NODES, OPTIONS);
  expect(all.map(({ from, sent }) => [from.class, sent])).toEqual([
    ['pod-old', 10],
    ['pod-new', 10],
  ]);
});

it('says when a path begins and ends to fail, and keeps the classes of the gap’s start', () => {
  const log = new PathLog();
  expect(log.note(0, OK, 'pod-old', 'pod-old')).toBe(false);
  expect(log.note(10, FAILING, 'pod-old', 'pod-old')).toBe(true);
  expect(log.note(20, FAILING, 'pod-old', 'pod-new')).toBe(false);
  expect(log.classes).toMatchObject({ to: 'pod-old' });
  expect(log.note(30, OK, 'pod-old', 'pod-new')).toBe(true);
});

function failing(message: string, cause: number): Seen {
  return { kind: 'failing', message, because: [cause] };
}

it('names what held longest in a gap, because of that and of what began it', () => {
  const log = new PathLog();
  log.note(0, OK, 'pod-old', 'pod-old');
  log.note(10, failing('the node is down', 1), 'pod-old', 'pod-old');
  log.note(20, failing('no sandbox', 2), 'pod-old', 'pod-old');
  log.note(25, failing('no sandbox', 3), 'pod-old', 'pod-old');
  log.note(90, failing('no route', 4), 'pod-old', 'pod-old');
  expect(log.reasonOfGap(95)).toMatchObject({ message: 'no sandbox', because: [1, 3] });
  expect(log.reasonOfGap(500)).toMatchObject({ message: 'no route', because: [1, 4] });
  log.note(100, OK, 'pod-old', 'pod-old');
  expect(log.reasonOfGap(900)).toMatchObject({ message: 'no sandbox' });
});
