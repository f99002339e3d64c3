import { expect, test } from 'vitest';
import type { KubeObject } from '../../model/kubernetes.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

function nodeConfig(apiVersion: string): KubeObject {
  const metadata = { name: 'cilium-default', namespace: 'kube-system' };
  return { apiVersion, kind: 'CiliumNodeConfig', metadata };
}

function facts(apiVersion: string, chartVersion: string) {
  return factsFrom({ values: 'debug: {}\n', chartVersion, objects: [nodeConfig(apiVersion)] });
}

test('v2 before 1.16, and v2alpha1 from 1.20 on', () => {
  expect(hazard.foretell(facts('cilium.io/v2', '1.15.19'))).toMatchObject({
    missing: [],
    findings: [
      {
        certainty: 'proven',
        evidence: [{ source: 'CiliumNodeConfig kube-system/cilium-default', path: 'apiVersion' }],
        fix: { summary: 'Write it in cilium.io/v2alpha1.' },
      },
    ],
  });
  expect(hazard.foretell(facts('cilium.io/v2alpha1', '1.20.0')).findings).toHaveLength(1);
});

test('near miss: both are served from 1.16 to 1.19', () => {
  for (const apiVersion of ['cilium.io/v2', 'cilium.io/v2alpha1']) {
    expect(hazard.foretell(facts(apiVersion, '1.18.3'))).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: the chart version was not read', () => {
  const objects = [nodeConfig('cilium.io/v2alpha1')];
  const { findings, missing } = hazard.foretell(factsFrom({ values: 'debug: {}\n', objects }));
  expect(findings).toMatchObject([{ certainty: 'possible' }]);
  expect(missing).toHaveLength(1);
});
