/** Losses go to the step that ran, and to the budget of the path's class or of what is being moved. */
import { describe, expect, it } from 'vitest';
import type { PathClass, PathObservation } from '../../model/rehearsal.ts';
import { DEFAULT_BUDGETS, parseBudgets } from './budgets.ts';
import { LossLedger, showSpent } from './loss-ledger.ts';

function lost(
  from: string,
  to: string,
  gaps: PathObservation['gaps'],
  more: { readonly class?: PathClass; readonly method?: 'udp' | 'http' } = {},
): PathObservation {
  const { class: target = 'pod-old', method = 'udp' } = more;
  return {
    from: { class: 'pod-old', node: from },
    to: { class: target, node: to },
    protocol: method,
    method,
    sent: 100,
    lost: 7,
    longestGapMs: 700,
    sourceSeen: null,
    gaps,
  };
}

describe('losses', () => {
  it('are booked once, to the step that ran when they came to light', () => {
    const ledger = new LossLedger(DEFAULT_BUDGETS);
    ledger.stepBegan('install', []);
    expect(ledger.take([lost('a', 'b', [])])).toEqual([]);
    const first = ledger.take([lost('a', 'b', [[1, 1.7]])]);
    expect(first).toMatchObject([{ class: 'pod-old', step: 'install', node: 'a', ms: 700 }]);
    expect(ledger.take([lost('a', 'b', [[1, 1.7]])])).toEqual([]);
    // The same gap, still open: only what it grew by.
    expect(ledger.take([lost('a', 'b', [[1, 2]])])).toMatchObject([{ ms: 300, stepMs: 1_000 }]);
  });

  it('go to the step that moves an end of the path, and to the budget of what is moved', () => {
    const ledger = new LossLedger(DEFAULT_BUDGETS);
    ledger.stepBegan('move a', ['a']);
    ledger.stepBegan('move x', ['x']);
    const losses = ledger.take([
      lost('b', 'a', [[0, 1]]),
      lost('x', 'y', [[0, 2]]),
      lost('b', 'c', [[0, 3]]),
    ]);
    expect(losses).toMatchObject([
      { step: 'move a', class: 'moving', ms: 1_000 },
      { step: 'move x', class: 'moving', ms: 2_000 },
      { step: undefined, class: 'pod-old', ms: 3_000 },
    ]);
  });

  it('that come to light just after a step are its own', () => {
    const ledger = new LossLedger(DEFAULT_BUDGETS);
    ledger.stepBegan('move a', ['a']);
    ledger.stepEnded('move a');
    expect(ledger.take([lost('b', 'a', [[0, 1]])])).toMatchObject([{ step: 'move a' }]);
  });

  it('of one path are not summed over the ways it is measured in', () => {
    const ledger = new LossLedger(parseBudgets('pod-old=1s'));
    ledger.stepBegan('s', []);
    ledger.take([lost('a', 'b', [[0, 0.8]]), lost('a', 'b', [[0, 0.8]], { method: 'http' })]);
    expect(ledger.newlySpent()).toEqual([]);
  });
});

describe('a budget', () => {
  it('is spent by the worst path, and told once', () => {
    const ledger = new LossLedger(parseBudgets('service=1s/60s'));
    ledger.stepBegan('s', []);
    ledger.take([
      lost('a', 'a', [[0, 0.9]], { class: 'service' }),
      lost('b', 'b', [[0, 0.9]], { class: 'service' }),
    ]);
    expect(ledger.newlySpent()).toEqual([]);
    ledger.take([lost('a', 'a', [[0, 1.2]], { class: 'service' })]);
    const [spent, ...others] = ledger.newlySpent();
    expect(others).toEqual([]);
    expect(spent).toMatchObject({ class: 'service', step: 's', lostMs: 1_200, per: 'step' });
    expect(spent === undefined ? '' : showSpent(spent)).toContain(
      'pod-old on a lost service on a for 1.2 s in s, 1 s are allowed',
    );
    expect(ledger.newlySpent()).toEqual([]);
  });

  it('of the run is spent by many steps that each keep theirs', () => {
    const ledger = new LossLedger(parseBudgets('egress=2s/3s'));
    const gaps: [number, number][] = [];
    for (const step of ['one', 'two', 'three']) {
      ledger.stepBegan(step, []);
      gaps.push([gaps.length * 10, gaps.length * 10 + 1.5]);
      ledger.take([lost('a', 'a', gaps, { class: 'egress' })]);
      ledger.stepEnded(step);
    }
    expect(ledger.newlySpent()).toMatchObject([{ per: 'run', lostMs: 4_500, allowedMs: 3_000 }]);
  });

  it('is read as it is said, and refused with a word on how', () => {
    const budgets = parseBudgets('pod-new=5s, service=250ms/1m');
    expect(budgets['pod-new']).toEqual({ stepMs: 5_000, runMs: 15_000 });
    expect(budgets.service).toEqual({ stepMs: 250, runMs: 60_000 });
    expect(budgets.host).toEqual(DEFAULT_BUDGETS.host);
    for (const text of ['pods=5s', 'pod-new', 'pod-new=5', 'pod-new=5s/x', ''])
      expect(() => parseBudgets(text)).toThrow(/is no error budget/);
  });
});
