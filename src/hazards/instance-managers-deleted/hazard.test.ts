import { expect, test } from 'vitest';
import type { RunbookStep } from '../../model/runbook.ts';
import { finding, judged } from '../finding.ts';
import { factsFrom, runbook } from '../testing.ts';
import { hazard } from './hazard.ts';

const remove = (selector: string): RunbookStep => ({
  kubectl: { action: 'delete', kind: 'Pod', namespace: 'longhorn-system', selector },
});

test('all of them at once', () => {
  const steps = [runbook(remove('longhorn.io/component=instance-manager'))];
  expect(hazard.foretell(factsFrom({ runbooks: steps }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'Step 1 deletes every instance manager at once. Every engine and replica process in them ends: volumes that are attached lose their data path, and those without a healthy replica elsewhere fault.',
        evidence: [
          {
            source: 'runbook.yaml',
            file: 'runbook.yaml',
            path: 'steps[0]',
            value: 'longhorn.io/component=instance-manager',
          },
        ],
        fix: {
          summary:
            'Leave them alone. Volumes attach when longhorn-backend can be reached again; the attacher waits up to five minutes between tries. One that is stuck (state error, its processes dead) may be deleted by itself, with all its volumes healthy elsewhere.',
        },
      }),
    ]),
  );
});

test('a label that is not theirs does nothing, and is said to', () => {
  const facts = factsFrom({ runbooks: [runbook(remove('component=instance-manager'))] });
  const [found] = hazard.foretell(facts).findings;
  expect(found?.severity).toBe('medium');
  expect(found?.message).toContain("matches none of Longhorn's");
});

test('near miss: other pods of Longhorn', () => {
  const facts = factsFrom({ runbooks: [runbook(remove('app=csi-attacher'))] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no runbook was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'a runbook: the commands that are to be typed, as data',
  ]);
});
