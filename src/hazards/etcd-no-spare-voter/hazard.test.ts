import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const plane = (name: string, ready: 'True' | 'Unknown' = 'True') =>
  node(name, { controlPlane: true, conditions: [{ type: 'Ready', status: ready }] });

test('two control planes', () => {
  expect(hazard.foretell(factsFrom({ objects: [plane('c1'), plane('c2')] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'etcd-no-spare-voter',
        covers: ['FM-08'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          'There are 2 control planes; etcd needs 2 of 2 members, so none can be spared. The API is away for as long as the next control plane is down, and it stays away when that node does not come back.',
        evidence: [
          { source: 'Node c1', value: 'c1' },
          { source: 'Node c2', value: 'c2' },
        ],
        fix: {
          summary:
            'Bring the control planes to three healthy voters before the first of them is touched, and take an etcd snapshot.',
          command: 'talosctl etcd snapshot db.snapshot',
        },
        references: hazard.references,
      },
    ],
  });
});

test('one of three is down already', () => {
  const objects = [plane('c1'), plane('c2'), plane('c3', 'Unknown')];
  const [found] = hazard.foretell(factsFrom({ objects })).findings;
  expect(found?.message).toContain('Of 3 control planes c3 is not Ready; etcd needs 2 of 3');
});

test('one alone is an outage, not a loss', () => {
  const [found] = hazard.foretell(factsFrom({ objects: [plane('c1')] })).findings;
  expect(found?.severity).toBe('high');
});

test.each([
  [3, 0],
  [4, 0],
  [5, 0],
])('near miss: %i healthy control planes', (number, findings) => {
  const objects = Array.from({ length: number }, (_, index) => plane(`c${index}`));
  expect(hazard.foretell(factsFrom({ objects })).findings).toHaveLength(findings);
});

test('near miss: a managed control plane', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1')] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
