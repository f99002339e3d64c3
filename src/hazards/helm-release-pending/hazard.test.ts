import { expect, test } from 'vitest';
import type { KubeObject } from '../../model/kubernetes.ts';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const release = (version: string, status: string, name = 'cilium') =>
  object(
    'v1',
    'Secret',
    `sh.helm.release.v1.${name}.v${version}`,
    {},
    {
      namespace: 'kube-system',
      labels: { owner: 'helm', name, version, status },
    },
  );

const commandOf = (...objects: readonly KubeObject[]) =>
  hazard.foretell(factsFrom({ objects: [node('w1'), ...objects] })).findings[0]?.fix?.command;

test('an upgrade that was interrupted', () => {
  const objects = [node('w1'), release('9', 'deployed'), release('10', 'pending-upgrade')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'The last revision of Helm release cilium in kube-system is pending-upgrade: a run of Helm ended before it finished. The next upgrade is refused with "another operation (install/upgrade/rollback) is in progress".',
        evidence: [
          {
            source: 'Secret kube-system/sh.helm.release.v1.cilium.v10',
            path: 'metadata.labels.status',
            value: 'pending-upgrade',
          },
        ],
        fix: {
          summary: 'Roll the release back to its last deployed revision before the migration.',
          command: 'helm -n kube-system rollback cilium 9',
        },
      }),
    ]),
  );
});

test('goes back past failed revisions, and nowhere from a first installation', () => {
  expect(
    commandOf(
      release('7', 'superseded'),
      release('8', 'deployed'),
      release('10', 'pending-upgrade'),
      release('9', 'failed'),
    ),
  ).toBe('helm -n kube-system rollback cilium 8');
  expect(commandOf(release('4', 'pending-upgrade'))).toBe('helm -n kube-system history cilium');
  expect(commandOf(release('1', 'pending-install'))).toBe('helm -n kube-system uninstall cilium');
});

test('near miss: an older revision was pending', () => {
  const objects = [node('w1'), release('9', 'pending-upgrade'), release('10', 'deployed')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('near miss: a release that is no CNI', () => {
  const objects = [node('w1'), release('1', 'pending-install', 'shop')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Helm releases (kubectl get secrets -A -l owner=helm -o json)',
  ]);
});
