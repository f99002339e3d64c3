import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('the runtime of a node has no network', () => {
  const message =
    'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized';
  const conditions = [{ type: 'Ready', status: 'False' as const, message }];
  expect(hazard.foretell(factsFrom({ objects: [node('w1', { conditions })] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message: `w1 has no working network now: ${message}. Nothing can be evicted there, and the gates between nodes cannot hold.`,
        evidence: [{ source: 'Node w1', path: 'status.conditions', value: message }],
        fix: {
          summary:
            'Repair these nodes on the old network first, or say that they are to be migrated first as they are.',
        },
      }),
    ]),
  );
});

test('the condition that nobody took back', () => {
  const conditions = [
    { type: 'Ready', status: 'True' as const },
    { type: 'NetworkUnavailable', status: 'True' as const, reason: 'NoRouteCreated' },
  ];
  const [found] = hazard.foretell(factsFrom({ objects: [node('w1', { conditions })] })).findings;
  expect(found?.message).toContain('NoRouteCreated');
});

test('near miss: not Ready for another reason', () => {
  const conditions = [
    { type: 'Ready', status: 'Unknown' as const, message: 'Kubelet stopped posting node status.' },
  ];
  expect(hazard.foretell(factsFrom({ objects: [node('w1', { conditions })] }))).toEqual(judged());
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
