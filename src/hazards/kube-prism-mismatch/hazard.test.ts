import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const VALUES = 'k8sServiceHost: localhost\nk8sServicePort: 7445\n';

function config(enabled: boolean, port = 7445, node = 'wrk-01') {
  return {
    text: `machine:\n  features:\n    kubePrism:\n      enabled: ${enabled}\n      port: ${port}\n`,
    node,
    facts: { kubePrism: { enabled, port } },
  };
}

test('one node without KubePrism', () => {
  const facts = factsFrom({
    values: VALUES,
    machineConfigs: [config(true), config(false, 7445, 'wrk-02')],
  });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'critical',
        certainty: 'proven',
        evidence: [{ source: 'values.yaml:1:17' }, { source: 'machineconfig.yaml:4:16' }],
      },
    ],
  });
});

test('another port', () => {
  const facts = factsFrom({ values: VALUES, machineConfigs: [config(true, 7446)] });
  expect(hazard.foretell(facts).findings).toMatchObject([
    { severity: 'critical', evidence: [{ line: 2, column: 17 }, { line: 5 }] },
  ]);
});

test('near miss: everywhere, on the port that is used', () => {
  const facts = factsFrom({ values: VALUES, machineConfigs: [config(true)] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: another address', () => {
  const values = 'k8sServiceHost: 10.0.1.200\nk8sServicePort: 6443\n';
  const facts = factsFrom({ values, machineConfigs: [config(false)] });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('unknown: only patches were read', () => {
  const machineConfigs = [{ text: 'machine: {}\n', kind: 'patch' as const }];
  const { findings, missing } = hazard.foretell(factsFrom({ values: VALUES, machineConfigs }));
  expect(findings).toEqual([]);
  expect(missing).toHaveLength(1);
});
