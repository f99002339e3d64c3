import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const volume = (name: string, state: string, robustness: string) =>
  object(
    'longhorn.io/v1beta2',
    'Volume',
    name,
    { status: { state, robustness } },
    { namespace: 'longhorn-system' },
  );

test('a degraded volume', () => {
  const objects = [
    node('w1'),
    volume('pvc-1', 'attached', 'degraded'),
    volume('pvc-2', 'attached', 'healthy'),
  ];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'longhorn-not-healthy',
        covers: ['FM-18'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          '1 Longhorn volume is not healthy: pvc-1 (degraded). The next node that is touched restarts its instance manager; if it holds a replica that such a volume still lives on, the volume faults.',
        evidence: [
          {
            source: 'Volume longhorn-system/pvc-1',
            path: 'status.robustness',
            value: 'degraded',
          },
        ],
        fix: {
          summary:
            'Do not start. Wait for the rebuilds to end, or repair these volumes first; the gate between nodes is that every attached volume is healthy.',
          command: 'kubectl -n longhorn-system get volumes.longhorn.io -w',
        },
        references: hazard.references,
      },
    ],
  });
});

test('a detached volume may be faulted', () => {
  const objects = [node('w1'), volume('pvc-1', 'detached', 'faulted')];
  expect(hazard.foretell(factsFrom({ objects })).findings).toHaveLength(1);
});

test('near miss: a detached volume is of unknown robustness', () => {
  const objects = [node('w1'), volume('pvc-1', 'detached', 'unknown')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({ findings: [], missing: [] });
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'objects of the cluster (kubectl get <kinds> -A -o json)',
  ]);
});
