import { expect, test } from 'vitest';
import type { RunbookStep } from '../../model/runbook.ts';
import { finding, judged } from '../finding.ts';
import { factsFrom, runbook } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const remove = (path: string): RunbookStep => ({
  files: { nodes: ['w1'], changes: [{ remove: path }] },
});

test('the directory is removed', () => {
  const facts = factsFrom({ objects: [node('w1')], runbooks: [runbook(remove('/etc/cni/net.d'))] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'Step 1 takes /etc/cni/net.d away on w1. containerd watches a directory that no longer exists: a conf written to a new one of that name is not loaded, and the network that is loaded is kept or lost for good until containerd restarts.',
        evidence: [
          {
            source: 'runbook.yaml',
            file: 'runbook.yaml',
            path: 'steps[0]',
            value: '/etc/cni/net.d',
          },
        ],
        fix: {
          summary:
            'Remove or rename the files in the directory, never the directory. Where it has happened, restart the runtime (on Talos: the service cri) or the node.',
        },
      }),
    ]),
  );
});

test('later versions end themselves', () => {
  const objects = [node('w1', { runtime: 'containerd://2.3.4' })];
  const facts = factsFrom({ objects, runbooks: [runbook(remove('/etc/cni/'))] });
  expect(hazard.foretell(facts).findings[0]?.message).toContain('Containerd ends itself');
});

test('near miss: a file in it', () => {
  const facts = factsFrom({ runbooks: [runbook(remove('/etc/cni/net.d/10-flannel.conflist'))] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no runbook was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'a runbook: the commands that are to be typed, as data',
  ]);
});
