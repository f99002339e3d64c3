import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const VALUES = 'kubeProxyReplacement: true\nnodePort:\n  enabled: true\n';

test('nodePort.enabled beside a full replacement', () => {
  const { findings } = hazard.foretell(factsFrom({ values: VALUES, chartVersion: '1.16.5' }));
  expect(findings).toMatchObject([
    {
      severity: 'low',
      title: 'nodePort.enabled is redundant beside kubeProxyReplacement, and gone from chart 1.19',
      evidence: [{ source: 'values.yaml:3:12' }],
    },
  ]);
});

test('near miss: where the chart dropped it, another hazard speaks', () => {
  const facts = factsFrom({ values: VALUES, chartVersion: '1.19.6' });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: it decides something while kube-proxy stays', () => {
  const values = 'kubeProxyReplacement: false\nnodePort:\n  enabled: true\n';
  expect(hazard.foretell(factsFrom({ values, chartVersion: '1.16.5' })).findings).toEqual([]);
});

test('unknown: no values were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
