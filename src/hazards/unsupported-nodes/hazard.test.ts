import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('a Windows node', () => {
  const objects = [node('w1'), node('win1', { os: 'windows' })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          "win1 (windows/amd64) cannot run Cilium's agent. Pods there stay on the old CNI for good, so it must not be removed, and the cluster stays on two networks.",
        evidence: [{ source: 'Node win1', path: 'status.nodeInfo', value: 'windows/amd64' }],
        fix: {
          summary:
            'Take these nodes out of the cluster first, or keep the old CNI on them for good and plan for both networks.',
        },
      }),
    ]),
  );
});

test('an architecture without images', () => {
  const objects = [node('p1', { arch: 'ppc64le' })];
  expect(hazard.foretell(factsFrom({ objects })).findings).toHaveLength(1);
});

test('near miss: amd64 and arm64', () => {
  const objects = [node('w1'), node('w2', { arch: 'arm64' })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
