import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const NODE_CONFIG = {
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNodeConfig',
  metadata: { name: 'cilium-default', namespace: 'kube-system' },
};

test('a single source', () => {
  const values = 'daemon:\n  configSources: config-map:cilium-config\n';
  expect(hazard.foretell(factsFrom({ values }))).toMatchObject({
    missing: [],
    findings: [
      { severity: 'high', certainty: 'likely', evidence: [{ source: 'values.yaml:2:18' }] },
    ],
  });
  const { findings } = hazard.foretell(factsFrom({ values, objects: [NODE_CONFIG] }));
  expect(findings).toMatchObject([{ severity: 'critical', certainty: 'proven' }]);
});

test('a key that may not be overridden', () => {
  const values = 'daemon:\n  blockedConfigOverrides: "cni-exclusive,debug"\n';
  const { findings } = hazard.foretell(factsFrom({ values, objects: [NODE_CONFIG] }));
  expect(findings).toMatchObject([{ severity: 'high', evidence: [{ line: 2 }] }]);
});

test('near miss: both sources, and overrides of other keys', () => {
  for (const values of [
    'daemon:\n  configSources: "config-map:cilium-config,cilium-node-config:kube-system"\n',
    'daemon:\n  blockedConfigOverrides: "debug"\n',
  ]) {
    expect(hazard.foretell(factsFrom({ values }))).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: no values were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
