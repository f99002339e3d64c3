import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, pod } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const allocatable = { cpu: '4', memory: '8Gi' };
const busy = (name: string, on: string, cpu: string, kind = 'ReplicaSet') =>
  pod(name, {
    node: on,
    owner: { kind, name: `${name}-1` },
    containers: [{ resources: { requests: { cpu } } }],
  });

test('two nodes that are both three quarters full', () => {
  const objects = [
    node('w1', { allocatable }),
    node('w2', { allocatable }),
    busy('a', 'w1', '3'),
    busy('b', 'w2', '2500m'),
  ];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'The pods that a drain evicts from w1 request 3 cores, 1.5 cores more than the other nodes have free. At least that much stays Pending until the node is uncordoned.',
        evidence: [{ source: 'Node w1', path: 'status.allocatable', value: 'cpu' }],
        fix: {
          summary:
            'Add a node for the time of the migration, scale something down, or restart sandboxes in place instead of draining.',
        },
      }),
    ]),
  );
});

test('one node alone', () => {
  const [found] = hazard.foretell(factsFrom({ objects: [node('w1')] })).findings;
  expect(found?.message).toContain('The cluster has one node');
});

test('room on tainted nodes alone is likely not enough', () => {
  const taints = [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' as const }];
  const objects = [
    node('c1', { allocatable, taints }),
    node('w1', { allocatable }),
    busy('a', 'w1', '1'),
  ];
  expect(hazard.foretell(factsFrom({ objects })).findings[0]?.certainty).toBe('likely');
});

test('near miss: the pods of a DaemonSet are not evicted', () => {
  const objects = [
    node('w1', { allocatable }),
    node('w2', { allocatable }),
    busy('a', 'w1', '3', 'DaemonSet'),
    busy('b', 'w2', '3', 'DaemonSet'),
  ];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('near miss: enough room', () => {
  const objects = [node('w1', { allocatable }), node('w2', { allocatable }), busy('a', 'w1', '3')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('unknown: pods were not read', () => {
  const objects = [node('w1', { allocatable }), node('w2', { allocatable })];
  expect(hazard.foretell(factsFrom({ objects })).missing).toEqual([
    'Pods of the cluster (kubectl get pods -A -o json)',
  ]);
});
