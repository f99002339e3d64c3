import { expect, test } from 'vitest';
import type { RunbookStep } from '../../model/runbook.ts';
import { finding, judged } from '../finding.ts';
import { factsFrom, runbook } from '../testing.ts';
import { hazard } from './hazard.ts';

const remove: RunbookStep = {
  kubectl: { action: 'delete', kind: 'ServiceAccount', namespace: 'kube-system', name: 'cilium' },
};
const uninstall: RunbookStep = {
  helm: { action: 'uninstall', release: 'cilium', namespace: 'kube-system' },
};
const install: RunbookStep = {
  helm: {
    action: 'install',
    release: 'cilium',
    namespace: 'kube-system',
    chart: 'cilium',
    version: '1.16.5',
    values: {},
  },
};

test("the agents' ServiceAccount is deleted", () => {
  expect(hazard.foretell(factsFrom({ runbooks: [runbook(remove)] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'Step 1 deletes ServiceAccount cilium. Pods that run with it get Unauthorized from then on, host-network agents among them, until they are made anew or the kubelet fetches them a new token.',
        evidence: [{ source: 'runbook.yaml', file: 'runbook.yaml', path: 'steps[0]' }],
        fix: {
          summary:
            'Upgrade the release in place instead. Where a ServiceAccount must be replaced, restart every pod that uses it at once; deleting token Secrets does nothing for projected tokens.',
        },
      }),
    ]),
  );
});

test('a release is uninstalled and installed again', () => {
  const [found] = hazard.foretell(factsFrom({ runbooks: [runbook(uninstall, install)] })).findings;
  expect(found?.message).toContain('uninstalls release cilium, which step 2 installs again');
});

test('near miss: uninstalled for good, and installed once', () => {
  expect(hazard.foretell(factsFrom({ runbooks: [runbook(install, uninstall)] }))).toEqual(judged());
});

test('near miss: the second runbook is another story', () => {
  const runbooks = [runbook(uninstall), runbook(install)];
  expect(hazard.foretell(factsFrom({ runbooks }))).toEqual(judged());
});

test('unknown: no runbook was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'a runbook: the commands that are to be typed, as data',
  ]);
});
