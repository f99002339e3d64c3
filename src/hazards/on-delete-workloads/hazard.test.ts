import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('a DaemonSet with OnDelete', () => {
  const objects = [node('w1'), daemonSet('logs', { updateStrategy: 'OnDelete' })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'DaemonSet default/logs has update strategy OnDelete: a rollout restart leaves the pods as they are. Where the node is not rebooted or its sandboxes restarted, they stay on the old network.',
        evidence: [
          {
            source: 'DaemonSet default/logs',
            path: 'spec.updateStrategy.type',
            value: 'OnDelete',
          },
        ],
        fix: {
          summary:
            'Delete these pods one by one in the step of their node, and gate the removal of the old network on no pod having an address of it.',
        },
      }),
    ]),
  );
});

test('near miss: on the host network there is nothing to change', () => {
  const own = daemonSet('logs', { updateStrategy: 'OnDelete', spec: { hostNetwork: true } });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), own] }))).toEqual(judged());
});

test('near miss: a rolling update', () => {
  const objects = [node('w1'), daemonSet('logs', { updateStrategy: 'RollingUpdate' })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
