import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const VALUES = 'ipam:\n  operator:\n    clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]\n';
const CONFIG = {
  text: 'cluster:\n  network:\n    podSubnets: [10.244.0.0/16]\n',
  file: 'wrk-01.yaml',
};
const talos = { cluster: { distribution: 'talos' as const }, values: VALUES };

test('a LAN that sorts behind the pool: the node IP flips', () => {
  const facts = factsFrom({
    ...talos,
    machineConfigs: [CONFIG],
    objects: [node('wrk-01', { ip: '192.168.1.20' })],
  });
  expect(hazard.foretell(facts)).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'critical',
        certainty: 'proven',
        evidence: [
          { source: 'values.yaml:3:34', value: '10.245.0.0/16' },
          { source: 'wrk-01.yaml:3:17' },
          { source: 'Node wrk-01' },
        ],
      },
    ],
  });
});

test('a LAN that sorts before it survives by luck', () => {
  const objects = [node('wrk-01', { ip: '10.0.1.61' })];
  const { findings } = hazard.foretell(factsFrom({ ...talos, machineConfigs: [CONFIG], objects }));
  expect(findings).toMatchObject([{ severity: 'medium', certainty: 'proven' }]);
  expect(findings[0]?.message).toContain('luck of the numbers');
});

test('near miss: the pool inside podSubnets', () => {
  const text = 'cluster:\n  network:\n    podSubnets: [10.244.0.0/15]\n';
  const facts = factsFrom({ ...talos, machineConfigs: [{ text }] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: validSubnets name the LAN, in the config or in a patch', () => {
  const pin = 'machine:\n  kubelet:\n    nodeIP:\n      validSubnets: [192.168.1.0/24]\n';
  const inConfig = factsFrom({ ...talos, machineConfigs: [{ text: `${pin}${CONFIG.text}` }] });
  expect(hazard.foretell(inConfig).findings).toEqual([]);
  const inPatch = factsFrom({ ...talos, machineConfigs: [CONFIG, { text: pin, kind: 'patch' }] });
  expect(hazard.foretell(inPatch).findings).toEqual([]);
});

test('near miss: another distribution', () => {
  const facts = factsFrom({ values: VALUES, cluster: { distribution: 'kubeadm' } });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test("unknown: without nodes and configs Talos's default is taken, and said", () => {
  const { findings, missing } = hazard.foretell(factsFrom(talos));
  expect(findings).toMatchObject([{ certainty: 'likely', evidence: [{ line: 3 }] }]);
  expect(findings[0]?.message).toContain("Talos's default");
  expect(missing).toHaveLength(1);
});
