import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const NONE = {
  text: 'cluster:\n  network:\n    cni:\n      name: none\n',
  kind: 'patch' as const,
  file: 'patch.yaml',
};

function talos(talosVersion: string) {
  return factsFrom({
    cluster: { distribution: 'talos', talosVersion },
    sourceCni: 'flannel',
    machineConfigs: [NONE],
  });
}

test('cni none on Talos 1.13: a trap', () => {
  expect(hazard.foretell(talos('1.13.2'))).toMatchObject({
    missing: [],
    findings: [
      { severity: 'medium', certainty: 'possible', evidence: [{ source: 'patch.yaml:4:13' }] },
    ],
  });
});

test('and a certainty when the runbook does it', () => {
  const facts = talos('1.13.2');
  const runbook = {
    apiVersion: 'regauge.dev/v1' as const,
    kind: 'Runbook' as const,
    steps: [{ talos: { action: 'upgrade-k8s' as const } }],
  };
  const runbooks = [{ runbook, source: { file: 'runbook.yaml' } }];
  const { findings } = hazard.foretell({ ...facts, input: { ...facts.input, runbooks } });
  expect(findings).toMatchObject([
    { severity: 'critical', evidence: [{ file: 'runbook.yaml', path: 'steps[0]' }, {}] },
  ]);
});

test('near miss: up to 1.12 nothing is deleted', () => {
  expect(hazard.foretell(talos('1.12.11'))).toEqual({ findings: [], missing: [] });
});

test('near miss: the configs still have Flannel', () => {
  const facts = factsFrom({
    cluster: { distribution: 'talos', talosVersion: '1.13.2' },
    machineConfigs: [{ text: 'machine: {}\n' }],
  });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('unknown: which Talos', () => {
  expect(hazard.foretell(factsFrom({ machineConfigs: [NONE] })).missing).toHaveLength(1);
});
