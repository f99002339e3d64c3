import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { daemonSet, node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const namespace = 'longhorn-system';
const volume = (name: string, numberOfReplicas: number) =>
  object('longhorn.io/v1beta2', 'Volume', name, { spec: { numberOfReplicas } }, { namespace });
const policy = (value: string) =>
  object('longhorn.io/v1beta2', 'Setting', 'node-drain-policy', { value }, { namespace });

test('one replica under the default policy', () => {
  const objects = [
    node('w1'),
    volume('pvc-1', 1),
    volume('pvc-2', 3),
    policy('block-if-contains-last-replica'),
  ];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'longhorn-last-replica',
        covers: ['FM-18'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          '1 Longhorn volume has one replica: pvc-1. node-drain-policy is block-if-contains-last-replica. The drain of a node that holds one of them does not end: Longhorn keeps the budget of its instance manager.',
        evidence: [
          { source: 'Volume longhorn-system/pvc-1', path: 'spec.numberOfReplicas', value: 1 },
        ],
        fix: {
          summary:
            'Give these volumes a second replica before the first node is touched and wait until they are healthy; or let the owner scale the workloads down so that the volumes are detached.',
          patch: 'spec:\n  numberOfReplicas: 2\n',
          command: `kubectl -n longhorn-system patch volumes.longhorn.io pvc-1 --type merge -p '{"spec":{"numberOfReplicas":2}}'`,
        },
        references: hazard.references,
      },
    ],
  });
});

test('always-allow loses the volume instead', () => {
  const objects = [node('w1'), volume('pvc-1', 1), policy('always-allow')];
  const [found] = hazard.foretell(factsFrom({ objects })).findings;
  expect(found?.message).toContain('the volumes are away until it is back');
});

test('the policy was not read: likely', () => {
  const objects = [node('w1'), volume('pvc-1', 1)];
  expect(hazard.foretell(factsFrom({ objects })).findings[0]?.certainty).toBe('likely');
});

test('near miss: every volume has two', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), volume('pvc-1', 2)] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('unknown: Longhorn runs and its volumes were not read', () => {
  const manager = daemonSet('longhorn-manager', {
    namespace,
    image: 'longhornio/longhorn-manager:v1.9.0',
  });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), manager] })).missing).toEqual([
    "Longhorn's volumes and settings (kubectl -n longhorn-system get volumes.longhorn.io,settings.longhorn.io -o json)",
  ]);
});
