import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { budget, daemonSet, deployment, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const two = [
  budget('chart', { app: 'db', maxUnavailable: 1 }),
  budget('ours', { app: 'db', maxUnavailable: 1 }),
];

test('two budgets on one Deployment', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), deployment('db'), ...two] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'budgets-overlapping',
        covers: ['FM-17'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'The pods of Deployment default/db are selected by 2 disruption budgets: chart and ours. The eviction API refuses a pod with more than one budget, whatever they allow, so a drain of its node does not end.',
        evidence: [
          { source: 'PodDisruptionBudget default/chart', path: 'spec.selector' },
          { source: 'PodDisruptionBudget default/ours', path: 'spec.selector' },
        ],
        fix: {
          summary:
            'Delete all but one of the budgets, or narrow their selectors so that each pod has one.',
        },
        references: hazard.references,
      },
    ],
  });
});

test('near miss: the same labels in another namespace', () => {
  const objects = [node('w1'), deployment('db', { namespace: 'other' }), ...two];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({ findings: [], missing: [] });
});

test('near miss: a drain leaves DaemonSets alone', () => {
  expect(
    hazard.foretell(factsFrom({ objects: [node('w1'), daemonSet('db'), ...two] })).findings,
  ).toEqual([]);
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'PodDisruptionBudgets of the cluster (kubectl get pdb -A -o json)',
    'workloads of the cluster (kubectl get pods,ds,deploy,sts -A -o json)',
  ]);
});
