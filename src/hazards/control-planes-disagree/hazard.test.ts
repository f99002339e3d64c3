import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

function config(name: string, cniName: string, proxyDisabled = false) {
  const facts = { machineType: 'controlplane' as const, cniName, proxyDisabled };
  return { text: `cluster: {network: {cni: {name: ${cniName}}}}\n`, node: name, facts };
}

test('one control plane still on flannel', () => {
  const machineConfigs = [
    config('cp-01', 'none'),
    config('cp-02', 'none'),
    config('cp-03', 'flannel'),
  ];
  expect(hazard.foretell(factsFrom({ machineConfigs }))).toMatchObject({
    missing: [],
    findings: [{ severity: 'high', certainty: 'proven' }],
  });
  const [first] = hazard.foretell(factsFrom({ machineConfigs })).findings;
  expect(first?.message).toContain('none on cp-01 and cp-02; flannel on cp-03');
});

test('kube-proxy off on one only', () => {
  const machineConfigs = [config('cp-01', 'none', true), config('cp-02', 'none')];
  const { findings } = hazard.foretell(factsFrom({ machineConfigs }));
  expect(findings[0]?.message).toContain('about kube-proxy');
});

test('near miss: all agree, and a worker does not count', () => {
  const worker = {
    text: 'cluster: {network: {cni: {name: flannel}}}\n',
    facts: { machineType: 'worker' as const, cniName: 'flannel' },
  };
  const machineConfigs = [config('cp-01', 'none'), config('cp-02', 'none'), worker];
  expect(hazard.foretell(factsFrom({ machineConfigs }))).toEqual({ findings: [], missing: [] });
});

test('unknown: the config of a control plane was not read', () => {
  const objects = [node('cp-01', { controlPlane: true }), node('cp-02', { controlPlane: true })];
  const facts = factsFrom({
    cluster: { distribution: 'talos' },
    objects,
    machineConfigs: [config('cp-01', 'none')],
  });
  expect(hazard.foretell(facts).missing).toHaveLength(1);
});
