import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const namespace = 'longhorn-system';
const volume = object(
  'longhorn.io/v1beta2',
  'Volume',
  'pvc-1',
  { status: { state: 'attached', robustness: 'healthy' } },
  { namespace },
);
const storageNetwork = (value: string) =>
  object('longhorn.io/v1beta2', 'Setting', 'storage-network', { value }, { namespace });

test('an attached volume and no storage network', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), volume, storageNetwork('')] }))).toEqual(
    {
      missing: [],
      findings: [
        {
          hazard: 'longhorn-on-pod-network',
          covers: ['FM-18'],
          severity: 'high',
          certainty: 'proven',
          title: hazard.title,
          message:
            'Longhorn runs in this cluster without a storage network, so its engines reach their replicas by pod addresses. 1 of its volumes is attached now. Each node that changes its network restarts its instance manager with a new address: the replicas there fail and are rebuilt, and two nodes changed before a rebuild ends can fault a volume. Where old and new pods cannot reach each other, attaching stops altogether.',
          evidence: [{ source: 'Volume longhorn-system/pvc-1', value: 'pvc-1' }],
          fix: {
            summary:
              'One node at a time, with every attached volume healthy as the gate before the next; keep old and new network routed to each other all the while. Never delete instance managers to "kick" Longhorn.',
          },
          references: hazard.references,
        },
      ],
    },
  );
});

test("a volume of Longhorn's driver is enough to know it", () => {
  const csi = { driver: 'driver.longhorn.io', volumeHandle: 'pvc-1' };
  const objects = [node('w1'), object('v1', 'PersistentVolume', 'pv', { spec: { csi } })];
  expect(hazard.foretell(factsFrom({ objects })).findings[0]?.certainty).toBe('likely');
});

test('near miss: a storage network of its own', () => {
  const objects = [node('w1'), volume, storageNetwork('kube-system/storage')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({ findings: [], missing: [] });
});

test('near miss: no Longhorn', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1')] })).findings).toEqual([]);
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
