import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const affinity = (key: string, ...values: string[]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }] },
});
const volume = (spec: object, claimed = true) =>
  object('v1', 'PersistentVolume', 'pv', {
    spec: { ...spec, ...(claimed ? { claimRef: { namespace: 'shop', name: 'db' } } : {}) },
  });
const local = { local: { path: '/data' }, nodeAffinity: affinity('kubernetes.io/hostname', 'w1') };

test('a local volume in use', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), volume(local)] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          '1 claim is bound to a volume of one node: shop/db. The pods that use it are down from the drain of that node until it is uncordoned.',
        evidence: [{ source: 'PersistentVolume pv', path: 'spec.nodeAffinity' }],
        fix: {
          summary:
            'Tell the owners, or use the strategy that restarts sandboxes in place: the pod keeps its node and its volume and is down for seconds.',
        },
      }),
    ]),
  );
});

test.each([
  ['a volume of a zone', volume({ nodeAffinity: affinity('topology.kubernetes.io/zone', 'a') })],
  ['a volume of two nodes', volume({ nodeAffinity: affinity('kubernetes.io/hostname', 'a', 'b') })],
  ['a volume nobody claims', volume(local, false)],
])('near miss: %s', (_, pv) => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), pv] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'PersistentVolumes of the cluster (kubectl get pv -o json)',
  ]);
});
