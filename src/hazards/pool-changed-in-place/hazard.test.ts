import { expect, test } from 'vitest';
import type { KubeObject } from '../../model/kubernetes.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

function pool(...ranges: readonly string[]): string {
  const list = ranges.map((range) => `"${range}"`).join(', ');
  return `ipam:\n  mode: "cluster-pool"\n  operator:\n    clusterPoolIPv4PodCIDRList: [${list}]\n`;
}

const FIRST = { text: pool('10.245.0.0/16'), file: 'values.yaml' };

function ciliumNode(name: string, range: string): KubeObject {
  const spec = { ipam: { podCIDRs: [range] } };
  const object = { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name }, spec };
  return object;
}

test('a later values file with another pool', () => {
  const second = { text: pool('10.244.0.0/16'), file: 'values-talos.yaml' };
  expect(hazard.foretell(factsFrom({ values: [FIRST, second] }))).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'critical',
        certainty: 'proven',
        evidence: [
          { source: 'values-talos.yaml:4:34', value: '10.244.0.0/16' },
          { source: 'values.yaml:4:34', value: '10.245.0.0/16' },
        ],
      },
    ],
  });
});

test('against the live release', () => {
  const facts = factsFrom({ values: [FIRST], liveValues: pool('10.0.0.0/8') });
  expect(hazard.foretell(facts).findings).toMatchObject([
    { evidence: [{ file: 'values.yaml' }, { file: 'live-values.yaml' }] },
  ]);
});

test('another mask size', () => {
  const second = { text: `${FIRST.text}    clusterPoolIPv4MaskSize: 25\n`, file: 'second.yaml' };
  const { findings } = hazard.foretell(factsFrom({ values: [FIRST, second] }));
  expect(findings[0]?.message).toContain('mask size from 24 to 25');
});

test('nodes that have ranges outside the pool', () => {
  const objects = [ciliumNode('a', '10.245.1.0/24'), ciliumNode('b', '10.0.3.0/24')];
  const { findings } = hazard.foretell(factsFrom({ values: [FIRST], objects }));
  expect(findings).toMatchObject([
    { evidence: [{ file: 'values.yaml' }, { source: 'CiliumNode b', value: ['10.0.3.0/24'] }] },
  ]);
});

test('near miss: a range appended', () => {
  const second = { text: pool('10.245.0.0/16', '10.246.0.0/16'), file: 'values-2.yaml' };
  expect(hazard.foretell(factsFrom({ values: [FIRST, second] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('unknown: no pool was read', () => {
  expect(hazard.foretell(factsFrom({ values: 'debug: {}\n' })).missing).toHaveLength(1);
});
