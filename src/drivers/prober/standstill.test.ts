/** A node that gives its agent no processor is told, from one reading to the next. */
import { expect, it } from 'vitest';
import type { ProbeLine } from '../../model/probe.ts';
import { Standstills } from './standstill.ts';

function line(upMs: number, stoodMs?: number, boot = 'a'): ProbeLine {
  const own = stoodMs === undefined ? {} : { stoodMs };
  return { probe: 1, end: 'pod', node: 'n', boot, upMs, address: '10.0.0.1', ...own, paths: [] };
}

it('counts what an agent stood still since the reading before, and no more', () => {
  const standstills = new Standstills();
  standstills.take('p', line(10_000));
  expect(standstills.of('p')).toBeUndefined();
  standstills.take('p', line(20_000, 7_000));
  expect(standstills.of('p')).toEqual({ stoodMs: 7_000, ofMs: 10_000 });
  // The same line read twice changes nothing.
  standstills.take('p', line(20_000, 7_000));
  expect(standstills.of('p')).toEqual({ stoodMs: 7_000, ofMs: 10_000 });
  standstills.take('p', line(30_000, 7_400));
  expect(standstills.of('p')).toBeUndefined();
});

it('begins anew with another start of the agent, and forgets one that is gone', () => {
  const standstills = new Standstills();
  standstills.take('p', line(60_000, 40_000));
  expect(standstills.of('p')).toBeDefined();
  standstills.take('p', line(5_000, 100, 'b'));
  expect(standstills.of('p')).toBeUndefined();
  standstills.take('p', line(15_000, 9_000, 'b'));
  standstills.forget('p');
  expect(standstills.of('p')).toBeUndefined();
});
