import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const link = (mtu: number) =>
  `machine:\n  network:\n    interfaces:\n      - interface: eth0\n        mtu: ${mtu}\n`;

test('an MTU that is larger than the link', () => {
  const machineConfigs = [{ text: link(1400) }];
  expect(hazard.foretell(factsFrom({ values: 'MTU: 1500\n', machineConfigs }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'mtu-budget',
        covers: ['FM-13'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          "MTU is set to 1500, the MTU Cilium is to take for the network below it, but the smallest link between the nodes carries 1400. After the overlay's own bytes 1350 are left for a pod's packet; anything larger is dropped on the way, so connections open and then hang at the first full packet.",
        evidence: [
          {
            source: 'values.yaml:1:6',
            file: 'values.yaml',
            path: 'MTU',
            line: 1,
            column: 6,
            value: 1500,
          },
          {
            source: 'machineconfig.yaml:5:14',
            file: 'machineconfig.yaml',
            path: 'machine.network.interfaces[0].mtu',
            line: 5,
            column: 14,
            value: 1400,
          },
        ],
        fix: {
          summary:
            'Set the MTU of the network below explicitly, and restart pods that were made before: they keep the old one.',
          patch: 'MTU: 1400\n',
        },
        references: hazard.references,
      },
    ],
  });
});

test('KubeSpan below, with the MTU left to detection', () => {
  const machineConfigs = [{ text: 'machine: {}\n', facts: { kubespanEnabled: true } }];
  const [found] = hazard.foretell(factsFrom({ values: 'a: 1\n', machineConfigs })).findings;
  expect(found?.certainty).toBe('likely');
  expect(found?.message).toContain('1370 are left');
});

test('links of the nodes differ', () => {
  const machineConfigs = [{ text: link(9000) }, { text: link(1450) }];
  const [found] = hazard.foretell(factsFrom({ values: 'a: 1\n', machineConfigs })).findings;
  expect(found?.message).toContain('differ (1450 to 9000)');
});

test('near miss: every link the same, left to detection', () => {
  const machineConfigs = [{ text: link(9000) }, { text: link(9000) }];
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', machineConfigs }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('near miss: the MTU set is that of the smallest link', () => {
  const machineConfigs = [{ text: link(1400), facts: { kubespanEnabled: false } }];
  expect(hazard.foretell(factsFrom({ values: 'MTU: 1400\n', machineConfigs })).findings).toEqual(
    [],
  );
});

test('unknown: nothing tells of the links', () => {
  expect(hazard.foretell(factsFrom({ values: 'MTU: 1500\n' })).missing).toEqual([
    'MTU of the links between the nodes (talosctl get links -o yaml)',
  ]);
});
