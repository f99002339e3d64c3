import { expect, test } from 'vitest';
import type { ClusterFacts } from '../../model/facts.ts';
import type { Runbook, RunbookStep } from '../../model/runbook.ts';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const UPGRADE: RunbookStep = {
  talos: { action: 'upgrade', nodes: ['cp-01'], image: 'ghcr.io/siderolabs/installer:v1.10.5' },
};
const CNI_NONE: RunbookStep = {
  talos: { action: 'patch', nodes: ['all'], patch: 'cluster: {network: {cni: {name: none}}}' },
};
const REBOOT: RunbookStep = { talos: { action: 'reboot', nodes: ['cp-01'] } };

function withRunbook(steps: readonly RunbookStep[]): ClusterFacts {
  const facts = factsFrom();
  const runbook: Runbook = { apiVersion: 'regauge.dev/v1', kind: 'Runbook', steps };
  const runbooks = [{ runbook, source: { file: 'runbook.yaml', line: 1, column: 1 } }];
  return { ...facts, input: { ...facts.input, runbooks } };
}

test('a runbook that upgrades between the steps of the change', () => {
  expect(hazard.foretell(withRunbook([CNI_NONE, UPGRADE]))).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'high',
        certainty: 'proven',
        evidence: [
          { file: 'runbook.yaml', path: 'steps[1]', value: 'talos upgrade' },
          { path: 'steps[0]' },
        ],
      },
    ],
  });
});

test('one patch that carries both', () => {
  const text = `machine:
  install:
    image: ghcr.io/siderolabs/installer:v1.10.5
cluster:
  network:
    cni:
      name: none
`;
  const facts = factsFrom({ machineConfigs: [{ text, kind: 'patch', file: 'patch.yaml' }] });
  expect(hazard.foretell(facts).findings).toMatchObject([
    { evidence: [{ source: 'patch.yaml:3:12' }, { source: 'patch.yaml:7:13' }] },
  ]);
});

test('nodes on two releases', () => {
  const objects = [node('a'), node('b', { osImage: 'Talos (v1.10.5)' })];
  const { findings } = hazard.foretell(factsFrom({ values: 'debug: {}\n', objects }));
  expect(findings).toMatchObject([{ evidence: [{ source: 'Node a' }, { source: 'Node b' }] }]);
});

test('near miss: a reboot is no upgrade, and an upgrade alone no mixture', () => {
  expect(hazard.foretell(withRunbook([CNI_NONE, REBOOT])).findings).toEqual([]);
  expect(hazard.foretell(withRunbook([UPGRADE])).findings).toEqual([]);
});

test('near miss: all nodes on one release', () => {
  const facts = factsFrom({ values: 'debug: {}\n', objects: [node('a'), node('b')] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('unknown: nothing was read that would tell', () => {
  expect(hazard.foretell(factsFrom({ values: 'debug: {}\n' })).missing).toHaveLength(1);
});

test('a patch that takes the CNI away beside values: possible, since nothing tells of restarts', () => {
  const text = 'cluster:\n  network:\n    cni:\n      name: none\n';
  const machineConfigs = [{ text, kind: 'patch' as const, file: 'patch.yaml' }];
  const facts = factsFrom({ values: 'debug: {}\n', machineConfigs });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      { severity: 'info', certainty: 'possible', evidence: [{ source: 'patch.yaml:4:13' }] },
    ],
  });
  expect(hazard.foretell(factsFrom({ machineConfigs })).findings).toEqual([]);
});
