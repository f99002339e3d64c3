import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const longhorn = object('v1', 'PersistentVolume', 'pv', {
  spec: { csi: { driver: 'driver.longhorn.io', volumeHandle: 'pv' } },
});
const config = (installImage: string) => ({ text: 'machine: {}\n', facts: { installImage } });

test('Longhorn and the plain installer', () => {
  const machineConfigs = [config('ghcr.io/siderolabs/installer:v1.10.5')];
  expect(hazard.foretell(factsFrom({ machineConfigs, objects: [node('w1'), longhorn] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'talos-extensions-dropped',
        covers: ['FM-62', 'FM-18'],
        severity: 'high',
        certainty: 'likely',
        title: hazard.title,
        message:
          'ghcr.io/siderolabs/installer:v1.10.5 is the plain installer, which holds no extensions. Longhorn runs in this cluster and needs iscsi-tools and util-linux-tools on the nodes; a node upgraded with this image attaches no volume any more, whatever its network does.',
        evidence: [
          {
            source: 'literal',
            file: 'literal',
            value: 'ghcr.io/siderolabs/installer:v1.10.5',
          },
        ],
        fix: {
          summary:
            'Use the image of the schematic that the nodes run now (talosctl get extensions tells what is in it), and keep the OS upgrade out of the CNI change.',
          command: 'talosctl get extensions',
        },
        references: hazard.references,
      },
    ],
  });
});

test('a runbook that upgrades with it', () => {
  const runbook = {
    apiVersion: 'regauge.dev/v1' as const,
    kind: 'Runbook' as const,
    steps: [
      {
        talos: {
          action: 'upgrade' as const,
          nodes: ['w1'],
          image: 'ghcr.io/siderolabs/installer:v1.10.5',
        },
      },
    ],
  };
  const facts = factsFrom({ objects: [node('w1'), longhorn], runbooks: [runbook] });
  expect(hazard.foretell(facts).findings[0]?.evidence).toEqual([
    {
      source: 'runbook.yaml',
      file: 'runbook.yaml',
      path: 'steps[0].talos.image',
      value: 'ghcr.io/siderolabs/installer:v1.10.5',
    },
  ]);
});

test('near miss: an image of the factory', () => {
  const machineConfigs = [config('factory.talos.dev/metal-installer/abc:v1.10.5')];
  const facts = factsFrom({ machineConfigs, objects: [node('w1'), longhorn] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: no Longhorn', () => {
  const machineConfigs = [config('ghcr.io/siderolabs/installer:v1.10.5')];
  expect(hazard.foretell(factsFrom({ machineConfigs, objects: [node('w1')] })).findings).toEqual(
    [],
  );
});

test('unknown: neither configs nor a runbook', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1')] })).missing).toEqual([
    'Talos machine configs (talosctl get machineconfig -o yaml)',
  ]);
});
