import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('one node is cordoned', () => {
  const objects = [node('w1', { unschedulable: true }), node('w2')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'w1 is cordoned. The pods of drained nodes have that much less room, and the migration cannot tell whether it may uncordon it at the end.',
        evidence: [{ source: 'Node w1', path: 'spec.unschedulable', value: true }],
        fix: {
          summary:
            'Find out who cordoned them and finish that first; nodes that must stay cordoned are told to the migration, which then leaves them so.',
          command: 'kubectl uncordon w1',
        },
      }),
    ]),
  );
});

test('near miss: a control plane that is tainted, not cordoned', () => {
  const taints = [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' as const }];
  expect(hazard.foretell(factsFrom({ objects: [node('c1', { taints })] }))).toEqual(judged());
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
