import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const VALUES = 'bpf:\n  masquerade: true\n';

test('kube-proxy kept: the agent refuses to start', () => {
  const facts = factsFrom({ values: VALUES, chartVersion: '1.16.5' });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      { severity: 'critical', certainty: 'proven', evidence: [{ source: 'values.yaml:2:15' }] },
    ],
  });
});

test('a replacement that the chart does not accept is none', () => {
  const values = `${VALUES}kubeProxyReplacement: strict\nnodePort:\n  enabled: true\n`;
  const { findings } = hazard.foretell(factsFrom({ values, chartVersion: '1.16.5' }));
  expect(findings).toMatchObject([{ evidence: [{ line: 2 }, { line: 3, column: 23 }] }]);
  expect(findings[0]?.message).toContain('nothing that chart 1.16.5 accepts');
  expect(hazard.foretell(factsFrom({ values, chartVersion: '1.15.19' })).findings).toEqual([]);
});

test('before 1.15 the agent falls back', () => {
  const { findings } = hazard.foretell(factsFrom({ values: VALUES, chartVersion: '1.14.19' }));
  expect(findings).toMatchObject([{ severity: 'medium' }]);
});

test('NodePort by its own value counts until 1.18', () => {
  const values = `${VALUES}nodePort:\n  enabled: true\n`;
  expect(hazard.foretell(factsFrom({ values, chartVersion: '1.18.12' })).findings).toEqual([]);
  expect(hazard.foretell(factsFrom({ values, chartVersion: '1.19.6' })).findings).toHaveLength(1);
});

test('near miss: a full replacement, or no masquerading at all', () => {
  for (const more of ['kubeProxyReplacement: true\n', 'enableIPv4Masquerade: false\n']) {
    const facts = factsFrom({ values: `${VALUES}${more}`, chartVersion: '1.16.5' });
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: the chart version was not read', () => {
  const { missing } = hazard.foretell(factsFrom({ values: VALUES }));
  expect(missing).toHaveLength(1);
});
