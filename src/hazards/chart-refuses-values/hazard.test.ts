import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

test('a wrong type, at its place', () => {
  const facts = factsFrom({ values: 'cni: {}\ntunnelPort: "8473"\n', chartVersion: '1.16.5' });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'high',
        certainty: 'proven',
        evidence: [{ source: 'values.yaml:2:13', value: '8473' }],
        fix: { summary: 'Write tunnelPort as integer.' },
      },
    ],
  });
});

test('a combination that the templates refuse', () => {
  const values = '{routingMode: native, enableIPv4Masquerade: true}\n';
  const { findings } = hazard.foretell(factsFrom({ values, chartVersion: '1.18.12' }));
  expect(findings[0]?.message).toContain('ipv4NativeRoutingCIDR must be set');
  expect(hazard.foretell(factsFrom({ values, chartVersion: '1.17.18' })).findings).toEqual([]);
});

test('a quoted false in a chart without a schema', () => {
  const values = 'cni:\n  customConf: "false"\n';
  const { findings } = hazard.foretell(factsFrom({ values, chartVersion: '1.15.19' }));
  expect(findings).toMatchObject([{ severity: 'medium', evidence: [{ line: 2, column: 15 }] }]);
  const newer = hazard.foretell(factsFrom({ values, chartVersion: '1.16.5' }));
  expect(newer.findings).toMatchObject([{ severity: 'high' }]);
});

test('near miss: texts that may be texts, and what other hazards tell', () => {
  const values = `kubeProxyReplacement: strict
tunnel: vxlan
k8sServicePort: "7445"
securityContext: {capabilities: {ciliumAgent: "{KILL}"}}
`;
  const facts = factsFrom({ values, chartVersion: '1.16.5' });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('unknown: the chart version decides', () => {
  const { findings, missing } = hazard.foretell(factsFrom({ values: 'tunnelPort: "8473"\n' }));
  expect(findings).toMatchObject([{ certainty: 'possible' }]);
  expect(missing).toHaveLength(1);
});
