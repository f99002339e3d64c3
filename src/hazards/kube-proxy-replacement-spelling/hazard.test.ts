import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const VALUES = 'cni: {}\nkubeProxyReplacement: strict  # kube-proxy goes\n';

test('strict from chart 1.16 on', () => {
  const { findings, missing } = hazard.foretell(
    factsFrom({ values: VALUES, chartVersion: '1.16.5' }),
  );
  expect(missing).toEqual([]);
  expect(findings).toMatchObject([
    {
      severity: 'critical',
      certainty: 'proven',
      evidence: [{ source: 'values.yaml:2:23', value: 'strict' }],
      fix: { patch: 'kubeProxyReplacement: true\n' },
    },
  ]);
});

test('near miss: strict where the chart still takes it is only deprecated', () => {
  const { findings } = hazard.foretell(factsFrom({ values: VALUES, chartVersion: '1.15.19' }));
  expect(findings).toMatchObject([{ severity: 'low' }]);
  const oldest = hazard.foretell(factsFrom({ values: VALUES, chartVersion: '1.13.18' }));
  expect(oldest.findings).toEqual([]);
});

test('true as a boolean where the chart knows only the old words', () => {
  const values = 'kubeProxyReplacement: true\n';
  const { findings } = hazard.foretell(factsFrom({ values, chartVersion: '1.13.18' }));
  expect(findings).toMatchObject([{ severity: 'critical' }]);
});

test('near miss: true and "false" are fine', () => {
  for (const value of ['true', '"true"', 'false', '"false"']) {
    const values = `kubeProxyReplacement: ${value}\n`;
    const facts = factsFrom({ values, chartVersion: '1.18.3' });
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: without a chart version it is only possible', () => {
  const { findings, missing } = hazard.foretell(factsFrom({ values: VALUES }));
  expect(findings).toMatchObject([{ certainty: 'possible', severity: 'high' }]);
  expect(missing).toHaveLength(1);
});
