import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const target = { values: 'a: 1\n', chartVersion: '1.18.3' };

test('a kernel of an old long-term line', () => {
  const objects = [node('w1', { kernel: '5.4.0-200-generic' }), node('w2')];
  expect(hazard.foretell(factsFrom({ ...target, objects }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'Cilium 1.18.3 asks for Linux 5.10 or later. w1 has 5.4.0. The agent can fail at its start there, or run without features that the values ask for.',
        evidence: [{ source: 'Node w1', path: 'status.nodeInfo.kernelVersion', value: '5.4.0' }],
        fix: {
          summary:
            'Upgrade the OS of these nodes first, as a change of its own, or choose a Cilium that supports their kernel.',
        },
      }),
    ]),
  );
});

test('near miss: the same kernel under an older Cilium', () => {
  const objects = [node('w1', { kernel: '5.4.0-200-generic' })];
  const facts = factsFrom({ ...target, chartVersion: '1.16.5', objects });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test("near miss: Red Hat's numbers say little", () => {
  const objects = [node('w1', { kernel: '4.18.0-553.el8_10.x86_64' })];
  expect(hazard.foretell(factsFrom({ ...target, objects }))).toEqual(judged());
});

test('unknown: the version of the target', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [node('w1')] })).missing).toEqual([
    'the version of Cilium that is to be installed (--cilium-version 1.x.y)',
  ]);
});
