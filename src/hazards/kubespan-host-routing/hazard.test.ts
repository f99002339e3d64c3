import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const config = (kubespanEnabled: boolean) => ({
  text: 'machine: {}\n',
  facts: { kubespanEnabled },
});

test('KubeSpan with BPF masquerading', () => {
  const facts = factsFrom({ values: 'bpf:\n  masquerade: true\n', machineConfigs: [config(true)] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'KubeSpan is on and bpf.hostLegacyRouting is not. BPF masquerading is on as well, which brings BPF host routing with it: packets leave without the rules that send them over the KubeSpan link, so node-to-node traffic is asymmetric and part of it is dropped.',
        evidence: [
          { source: 'values.yaml:1:1', file: 'values.yaml', path: 'bpf', line: 1, column: 1 },
          {
            source: 'machineconfig.yaml:1:1',
            file: 'machineconfig.yaml',
            line: 1,
            column: 1,
            value: 'kubespan',
          },
        ],
        fix: {
          summary: 'Set hostLegacyRouting, or switch KubeSpan off first as a change of its own.',
          patch: 'bpf:\n  hostLegacyRouting: true\n',
        },
      }),
    ]),
  );
});

test('near miss: legacy host routing', () => {
  const values = 'bpf:\n  masquerade: true\n  hostLegacyRouting: true\n';
  expect(hazard.foretell(factsFrom({ values, machineConfigs: [config(true)] }))).toEqual(judged());
});

test('near miss: no KubeSpan', () => {
  const facts = factsFrom({ values: 'a: 1\n', machineConfigs: [config(false)] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no machine config was read', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n' })).missing).toEqual([
    'Talos machine configs (talosctl get machineconfig -o yaml)',
  ]);
});
