import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const manager = (tag: string) =>
  daemonSet('longhorn-manager', {
    namespace: 'longhorn-system',
    image: `longhornio/longhorn-manager:${tag}`,
  });

test('Longhorn 1.11.0', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), manager('v1.11.0')] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'longhorn-node-webhook',
        covers: ['FM-21'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          'longhorn-manager runs v1.11.0, which validates every update of a Node through its own pods with failurePolicy Fail. When the pod network of the nodes they run on breaks, cordon, uncordon, labels and taints are refused for all nodes, and so is the way back.',
        evidence: [{ source: 'DaemonSet longhorn-system/longhorn-manager', value: 'v1.11.0' }],
        fix: { summary: 'Upgrade Longhorn to 1.11.1 or later before the migration.' },
        references: hazard.references,
      },
    ],
  });
});

test.each(['v1.10.1', 'v1.11.1'])('near miss: %s', (tag) => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), manager(tag)] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
