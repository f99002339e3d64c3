import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

test('the default, with Flannel still there', () => {
  const values = 'operator:\n  replicas: 1\n';
  expect(hazard.foretell(factsFrom({ values, sourceCni: 'flannel' }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'unmanaged-pod-restart',
        covers: ['FM-12'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'operator.unmanagedPodWatcher.restart is not set, and its default is true. While flannel still serves the nodes that CoreDNS runs on, its pods have no CiliumEndpoint; the operator deletes one of them at a time, at least five minutes apart for the same name, and does so again as long as that lasts.',
        evidence: [
          { source: 'values.yaml:1:1', file: 'values.yaml', path: 'operator', line: 1, column: 1 },
        ],
        fix: {
          summary: 'Switch the watcher off until the last node is migrated.',
          patch: 'operator:\n  unmanagedPodWatcher:\n    restart: false\n',
        },
        references: hazard.references,
      },
    ],
  });
});

test('near miss: switched off', () => {
  const values = 'operator:\n  unmanagedPodWatcher:\n    restart: false\n';
  expect(hazard.foretell(factsFrom({ values, sourceCni: 'flannel' }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('near miss: a cluster without a CNI before', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', sourceCni: 'none' })).findings).toEqual([]);
});

test('unknown: what serves the nodes now was not read', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n' })).missing).toEqual([
    'the CNI that is to be replaced (its DaemonSet, or a CNI conf)',
  ]);
});
