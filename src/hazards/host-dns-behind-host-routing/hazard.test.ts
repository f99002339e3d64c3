import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const VALUES = 'kubeProxyReplacement: true\nbpf:\n  masquerade: true\n';

function forwarding(value: boolean, kind: 'config' | 'patch' = 'config') {
  const text = `machine:\n  features:\n    hostDNS:\n      forwardKubeDNSToHost: ${value}\n`;
  return { text, kind, file: `${kind}.yaml` };
}

test('host routing and forwarding together', () => {
  const facts = factsFrom({
    values: VALUES,
    chartVersion: '1.16.5',
    machineConfigs: [forwarding(true)],
  });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'critical',
        certainty: 'proven',
        evidence: [
          { source: 'values.yaml:3:15' },
          { source: 'values.yaml:1:23' },
          { source: 'config.yaml:4:29', value: true },
        ],
      },
    ],
  });
});

test.each([
  ['1.16.4', '', 'low'],
  ['1.16.4', 'routingMode: native\n', 'critical'],
  ['1.17.0', '', 'critical'],
  ['1.18.2', '', 'medium'],
])('on %s with "%s" it is %s', (chartVersion, more, severity) => {
  const facts = factsFrom({
    values: `${VALUES}${more}`,
    chartVersion,
    machineConfigs: [forwarding(true)],
  });
  expect(hazard.foretell(facts).findings).toMatchObject([{ severity }]);
});

test('near miss: hostLegacyRouting, as the values of the post-mortem had it', () => {
  const values = `${VALUES}  hostLegacyRouting: true\n`;
  const facts = factsFrom({ values, chartVersion: '1.16.5', machineConfigs: [forwarding(true)] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: forwarding off, in the config or by a patch', () => {
  for (const machineConfigs of [
    [forwarding(false)],
    [forwarding(true), forwarding(false, 'patch')],
  ]) {
    const facts = factsFrom({ values: VALUES, chartVersion: '1.16.5', machineConfigs });
    expect(hazard.foretell(facts).findings).toEqual([]);
  }
});

test('near miss: kube-proxy kept, so no host routing', () => {
  const values = 'nodePort:\n  enabled: true\nbpf:\n  masquerade: true\n';
  const facts = factsFrom({ values, chartVersion: '1.16.5', machineConfigs: [forwarding(true)] });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('unknown: no config says whether CoreDNS forwards to the node', () => {
  const facts = factsFrom({
    values: VALUES,
    chartVersion: '1.16.5',
    cluster: { distribution: 'talos' },
  });
  expect(hazard.foretell(facts)).toMatchObject({ findings: [], missing: [/forwardKubeDNSToHost/] });
});
