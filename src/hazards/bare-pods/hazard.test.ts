import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, pod } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('a pod somebody made by hand', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), pod('debug')] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          '1 pod (default/debug) has no controller. A drain without --force stops at it; with --force it is deleted and nothing makes it again; untouched, it stays on the old network.',
        evidence: [{ source: 'Pod default/debug', path: 'metadata.ownerReferences' }],
        fix: {
          summary:
            'Put them under a Deployment or Job, delete those nobody needs, or restart their sandboxes in place.',
        },
      }),
    ]),
  );
});

test.each([
  ['a static pod', pod('a', { annotations: { 'kubernetes.io/config.mirror': 'x' } })],
  ['a pod on the host network', pod('a', { hostNetwork: true })],
  ['a finished pod', pod('a', { phase: 'Succeeded' })],
  ['a pod of a ReplicaSet', pod('a', { owner: { kind: 'ReplicaSet', name: 'a-1' } })],
])('near miss: %s', (_, object) => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), object] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Pods of the cluster (kubectl get pods -A -o json)',
  ]);
});
