import { expect, test } from 'vitest';
import type { RunbookStep } from '../../model/runbook.ts';
import { finding, judged } from '../finding.ts';
import { factsFrom, runbook } from '../testing.ts';
import { hazard } from './hazard.ts';

const remove: RunbookStep = {
  title: 'Delete Flannel',
  kubectl: { action: 'delete', kind: 'DaemonSet', namespace: 'kube-system', name: 'kube-flannel' },
};
const drain: RunbookStep = { kubectl: { action: 'drain', node: 'w1' } };
const reboot: RunbookStep = { talos: { action: 'reboot', nodes: ['w1'] } };

test('Flannel goes before the nodes are drained and rebooted', () => {
  expect(hazard.foretell(factsFrom({ runbooks: [runbook(remove, drain, reboot)] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'Step 1 ("Delete Flannel") removes the daemon of the old network, and 2 later steps still drain, reboot or upgrade nodes, the first of them step 2. Unless every node was handed to the new network before, pods on those nodes fail at their sandbox after the reboot, because what the old plugin needs is gone and nobody writes it.',
        evidence: [
          { source: 'runbook.yaml', file: 'runbook.yaml', path: 'steps[0]' },
          { source: 'runbook.yaml', file: 'runbook.yaml', path: 'steps[1]' },
        ],
        fix: {
          summary:
            'Put the removal last: after every node has moved and no pod has an address of the old network.',
        },
      }),
    ]),
  );
});

test('an uninstalled release is a removal too', () => {
  const uninstall: RunbookStep = {
    helm: { action: 'uninstall', release: 'flannel', namespace: 'kube-flannel' },
  };
  const facts = factsFrom({ runbooks: [runbook(uninstall, reboot)] });
  expect(hazard.foretell(facts).findings).toHaveLength(1);
});

test('near miss: it goes last', () => {
  expect(hazard.foretell(factsFrom({ runbooks: [runbook(drain, reboot, remove)] }))).toEqual(
    judged(),
  );
});

test('near miss: another DaemonSet', () => {
  const other: RunbookStep = { kubectl: { action: 'delete', kind: 'DaemonSet', name: 'logs' } };
  expect(hazard.foretell(factsFrom({ runbooks: [runbook(other, reboot)] }))).toEqual(judged());
});

test('unknown: no runbook was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'a runbook: the commands that are to be typed, as data',
  ]);
});
