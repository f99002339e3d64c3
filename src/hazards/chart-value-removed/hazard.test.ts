import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

test('a value that stops the rendering', () => {
  const values = 'debug:\n  enabled: true\ntunnel: geneve\n';
  const { findings, missing } = hazard.foretell(factsFrom({ values, chartVersion: '1.16.5' }));
  expect(missing).toEqual([]);
  expect(findings).toMatchObject([
    {
      severity: 'high',
      certainty: 'proven',
      title: 'tunnel is gone from chart 1.15',
      evidence: [{ source: 'values.yaml:3:1', path: 'tunnel', value: 'geneve' }],
      fix: { summary: 'Write routingMode and tunnelProtocol instead.' },
    },
  ]);
  expect(findings[0]?.message).toContain('tunnel was deprecated in v1.14');
});

test('the same value where charts ignore it in silence', () => {
  const { findings } = hazard.foretell(
    factsFrom({ values: 'tunnel: geneve\n', chartVersion: '1.16.1' }),
  );
  expect(findings).toMatchObject([{ severity: 'medium', certainty: 'proven' }]);
  expect(findings[0]?.message).toContain('nothing says so');
});

test('near miss: the same value in a chart that honours it', () => {
  const facts = factsFrom({ values: 'tunnel: geneve\n', chartVersion: '1.14.19' });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: a switch that is off does not fail the template', () => {
  const facts = factsFrom({ values: 'remoteNodeIdentity: false\n', chartVersion: '1.16.5' });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('a nested value that left without a word', () => {
  const values = 'nodePort:\n  enabled: true\n';
  const { findings } = hazard.foretell(factsFrom({ values, chartVersion: '1.19.6' }));
  expect(findings).toMatchObject([
    { severity: 'medium', evidence: [{ line: 2, column: 3, path: 'nodePort.enabled' }] },
  ]);
});

test('an IPAM mode that is gone', () => {
  const values = 'ipam:\n  mode: cluster-pool-v2beta\n';
  const { findings } = hazard.foretell(factsFrom({ values, chartVersion: '1.16.5' }));
  expect(findings).toMatchObject([{ severity: 'high', evidence: [{ line: 2, column: 9 }] }]);
});

test('unknown: the chart version decides, and is asked for', () => {
  const { findings, missing } = hazard.foretell(factsFrom({ values: 'tunnel: geneve\n' }));
  expect(findings).toMatchObject([{ certainty: 'possible' }]);
  expect(missing).toEqual(['chart version of values.yaml (--cilium-version 1.x.y)']);
});
