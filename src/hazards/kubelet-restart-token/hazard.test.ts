import { expect, test } from 'vitest';
import type { RunbookStep } from '../../model/runbook.ts';
import { finding, judged } from '../finding.ts';
import { factsFrom, runbook } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const restart: RunbookStep = {
  talos: { action: 'service-restart', nodes: ['w1'], service: 'kubelet' },
};
const affected = node('w1', { osImage: 'Talos (v1.13.1)' });

test('a runbook that restarts the kubelet there', () => {
  expect(hazard.foretell(factsFrom({ objects: [affected], runbooks: [runbook(restart)] }))).toEqual(
    judged([
      finding(hazard, {
        severity: 'critical',
        certainty: 'proven',
        message:
          'w1 runs a Talos release on which a restart of the kubelet cuts running pods off from new tokens. The runbook restarts it. Pods that were made before the restart get Unauthorized when their token ends.',
        evidence: [
          { source: 'runbook.yaml', file: 'runbook.yaml', path: 'steps[0]', value: 'kubelet' },
          { source: 'Node w1', path: 'status.nodeInfo.osImage', value: 'Talos (v1.13.1)' },
        ],
        fix: {
          summary:
            'Upgrade Talos to 1.13.3 or later first, on its own. Until then delete the one pod that needs a token instead of restarting the kubelet.',
        },
      }),
    ]),
  );
});

test('the release alone is a warning', () => {
  expect(hazard.foretell(factsFrom({ objects: [affected] })).findings[0]?.severity).toBe('medium');
});

test.each(['Talos (v1.12.4)', 'Talos (v1.13.3)', 'Debian GNU/Linux 12'])(
  'near miss: %s',
  (osImage) => {
    const objects = [node('w1', { osImage })];
    expect(hazard.foretell(factsFrom({ objects, runbooks: [runbook(restart)] }))).toEqual(judged());
  },
);

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
