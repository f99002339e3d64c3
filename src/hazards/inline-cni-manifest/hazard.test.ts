import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

test('Cilium rendered into the config', () => {
  const text = `cluster:
  inlineManifests:
    - name: namespace-ci
      contents: "kind: Namespace"
    - name: cni
      contents: |
        kind: DaemonSet
        metadata: {name: cilium}
`;
  expect(hazard.foretell(factsFrom({ machineConfigs: [{ text }] }))).toMatchObject({
    missing: [],
    findings: [
      { certainty: 'proven', evidence: [{ source: 'machineconfig.yaml:5:13', value: 'cni' }] },
    ],
  });
});

test('a URL among the extra manifests, and the document form of 1.14', () => {
  const url = 'cluster:\n  extraManifests:\n    - https://example.org/calico.yaml\n';
  const document =
    'apiVersion: v1alpha1\nkind: KubeInlineManifestConfig\nname: cilium\nmanifest: ""\n';
  for (const text of [url, document]) {
    expect(hazard.foretell(factsFrom({ machineConfigs: [{ text }] })).findings).toHaveLength(1);
  }
});

test('near miss: manifests of something else', () => {
  const text =
    'cluster:\n  inlineManifests:\n    - name: metrics\n      contents: "kind: Service"\n';
  expect(hazard.foretell(factsFrom({ machineConfigs: [{ text }] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('unknown: no machine config was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
