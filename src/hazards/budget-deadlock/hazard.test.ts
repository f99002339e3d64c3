import { expect, test } from 'vitest';
import { deriveFacts } from '../../intake/facts.ts';
import { readInput } from '../../intake/read-input.ts';
import { MISSING } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { budget, deployment, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('a budget that demands its only replica', () => {
  const facts = factsFrom({
    objects: [node('w1'), deployment('db', { replicas: 1 }), budget('db', { minAvailable: 1 })],
  });
  expect(hazard.foretell(facts)).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'budget-deadlock',
        covers: ['FM-17'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'PodDisruptionBudget default/db has minAvailable: 1 of 1 replicas, which allows no disruption even when every pod is healthy. Every eviction is answered with 429, so a drain of a node that holds one of its pods does not end.',
        evidence: [
          { source: 'PodDisruptionBudget default/db', path: 'spec.minAvailable', value: 1 },
        ],
        fix: {
          summary:
            "Run 2 replicas behind default/db for the time of the migration, or let the budget allow one disruption (maxUnavailable: 1) with its owner's consent; else restart the sandboxes in place instead of draining.",
          patch: 'spec:\n  minAvailable: null\n  maxUnavailable: 1\n',
        },
        references: hazard.references,
      },
    ],
  });
});

test('a live budget that waits for unhealthy pods', () => {
  const status = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 2, expectedPods: 3 };
  const facts = factsFrom({ objects: [node('w1'), budget('db', { minAvailable: 2, status })] });
  const [found, ...more] = hazard.foretell(facts).findings;
  expect(more).toEqual([]);
  expect(found?.message).toContain('only 1 of the 2 pods it demands are healthy');
  expect(found?.fix?.patch).toBe('spec:\n  unhealthyPodEvictionPolicy: AlwaysAllow\n');
});

test('percentages round up: 50% of three replicas allows one disruption', () => {
  const objects = [deployment('db', { replicas: 3 }), budget('db', { minAvailable: '50%' })];
  expect(hazard.foretell(factsFrom({ objects })).findings).toEqual([]);
});

test('percentages round up: 60% of two replicas allows none', () => {
  const objects = [deployment('db', { replicas: 2 }), budget('db', { minAvailable: '60%' })];
  expect(hazard.foretell(factsFrom({ objects })).findings).toHaveLength(1);
});

test('a zero budget needs no replica count to be judged', () => {
  const objects = [budget('db', { maxUnavailable: '0%' })];
  expect(hazard.foretell(factsFrom({ objects })).findings).toHaveLength(1);
});

test('near miss: no pods expected', () => {
  const status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  const facts = factsFrom({ objects: [node('w1'), budget('db', { minAvailable: 1, status })] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test("near miss: Longhorn's own budgets are dropped by Longhorn", () => {
  const status = { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 };
  const own = budget('instance-manager-1a', {
    namespace: 'longhorn-system',
    minAvailable: 1,
    status,
  });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), own] })).findings).toEqual([]);
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'PodDisruptionBudgets of the cluster (kubectl get pdb -A -o json)',
  ]);
});

test('unknown: a cluster was read, and no budget with it', () => {
  const facts = factsFrom({ objects: [node('w1'), deployment('db', { replicas: 1 })] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [MISSING.budgets] });
});

test('judged: the list of budgets was read, and is empty', () => {
  const text = JSON.stringify({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudgetList',
    items: [],
  });
  const facts = deriveFacts(
    readInput([
      { path: 'nodes.json', text: JSON.stringify(node('w1')) },
      { path: 'budgets.json', text },
    ]),
  );
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});
