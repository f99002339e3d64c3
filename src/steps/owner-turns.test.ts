/** Goal: of one owner's pods only as many are away as its share and its budget allow, and that is asked seldom. */
import { expect, it } from 'vitest';
import { areTaken, OwnerTurns } from './owner-turns.ts';

const OWNER = { uid: 'owner', replicas: 40, ready: 40 };
const SHARE = 10;

it('gives no more turns at a time than a quarter of the replicas', () => {
  const turns = new OwnerTurns();
  expect(taken(turns, 20)).toBe(SHARE);
});

it('gives no more than a budget let be away when it refused one', () => {
  const turns = withBudgetOf(3);
  expect(areTaken(known(turns), 0)).toBe(true);
  turns.give(OWNER.uid);
  expect(areTaken(known(turns), 0)).toBe(false);
  expect(taken(turns, 5)).toBe(1);
});

it('tries one more after ten turns that are over, since a budget may have been widened', () => {
  const turns = withBudgetOf(3);
  for (let round = 0; round < 10; round += 1) {
    turns.give(OWNER.uid);
    taken(turns, 1);
  }
  expect(taken(turns, 5)).toBe(1);
});

it('asks nobody for a while when a budget refuses with none away', () => {
  const turns = new OwnerTurns();
  taken(turns, 1);
  turns.refused(OWNER.uid, 5_000);
  expect(turns.take(OWNER, 4_999)).toBe(false);
  expect(turns.take(OWNER, 5_000)).toBe(true);
});

it('ends a turn only by a replacement, not by a pod that was yet to go when the owner was asked', () => {
  const turns = new OwnerTurns();
  taken(turns, 2);
  turns.went(OWNER.uid, 100);
  turns.went(OWNER.uid, 100);
  expect(turns.wanted(OWNER.uid, 200)).toBe(39);
  taken(turns, 1);
  // Asked for, not gone: the two that are away are no fewer for it.
  expect(turns.wanted(OWNER.uid, 200)).toBe(39);
  turns.went(OWNER.uid, 300);
  expect(turns.wanted(OWNER.uid, 200)).toBe(40);
  expect(turns.wanted(OWNER.uid, 400)).toBe(38);
  turns.give(OWNER.uid);
  expect(turns.wanted(OWNER.uid, 400)).toBe(39);
});

/** All that the share allows have asked at once, and the budget let only so many go. */
function withBudgetOf(allowed: number): OwnerTurns {
  const turns = new OwnerTurns();
  taken(turns, SHARE);
  for (let refused = 0; refused < SHARE - allowed; refused += 1) turns.refused(OWNER.uid, 5_000);
  return turns;
}

function taken(turns: OwnerTurns, wanted: number): number {
  return Array.from({ length: wanted }, () => turns.take(OWNER, 0)).filter(Boolean).length;
}

function known(turns: OwnerTurns) {
  const found = turns.of(OWNER.uid);
  if (found === undefined) throw new Error('the owner has had no turn');
  return found;
}
