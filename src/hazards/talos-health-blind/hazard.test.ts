import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const NONE = { text: 'cluster:\n  network:\n    cni:\n      name: none\n' };

function talos(talosVersion: string, text = NONE.text) {
  return factsFrom({ cluster: { talosVersion }, machineConfigs: [{ text }] });
}

test('cni none from 1.13 on', () => {
  expect(hazard.foretell(talos('1.13.2'))).toMatchObject({
    missing: [],
    findings: [{ severity: 'info', evidence: [{ source: 'machineconfig.yaml:4:13' }] }],
  });
});

test('near miss: older, or with a CNI of its own', () => {
  expect(hazard.foretell(talos('1.12.0'))).toEqual({ findings: [], missing: [] });
  expect(hazard.foretell(talos('1.13.2', 'machine: {}\n')).findings).toEqual([]);
});

test('unknown: which Talos', () => {
  expect(hazard.foretell(factsFrom({ machineConfigs: [NONE] })).missing).toHaveLength(1);
});
