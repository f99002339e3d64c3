import { assert, integer, nat, property } from 'fast-check';
import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const pool = (cidr: string) => `ipam:\n  operator:\n    clusterPoolIPv4PodCIDRList: ["${cidr}"]\n`;
const cluster = { serviceCidrs: ['10.96.0.0/12'] };
const objects = [
  node('w1', { ip: '10.0.1.64', podCidr: '10.244.1.0/24' }),
  node('w2', { ip: '10.0.1.65', podCidr: '10.244.2.0/24' }),
];

test("a pool that holds one node's pod range", () => {
  const facts = factsFrom({ values: pool('10.244.2.0/23'), cluster, objects });
  expect(hazard.foretell(facts)).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'pod-cidr-overlap',
        covers: ['FM-04', 'FM-73'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          'The pool 10.244.2.0/23 overlaps pod ranges of nodes: 10.244.2.0/24 (1 range). Two pods, one of each network, get the same address, and each node sends the traffic for it to the pod it knows.',
        evidence: [
          {
            source: 'values.yaml:3:34',
            file: 'values.yaml',
            path: 'ipam.operator.clusterPoolIPv4PodCIDRList[0]',
            line: 3,
            column: 34,
            value: '10.244.2.0/23',
          },
          { source: 'Node w2', path: 'spec.podCIDRs', value: '10.244.2.0/24' },
        ],
        fix: {
          summary:
            'Choose a pool that lies outside the pod ranges, the Service range, the node network and any VPN, and keep it for good: no step of the migration moves back.',
        },
        references: hazard.references,
      },
    ],
  });
});

test('a pool inside the Service range', () => {
  const facts = factsFrom({ values: pool('10.100.0.0/16'), cluster, objects });
  expect(hazard.foretell(facts).findings.map(({ message }) => message)).toEqual([
    expect.stringContaining('overlaps the Service range: 10.96.0.0/12'),
  ]);
});

test('a pool that holds the node addresses', () => {
  const facts = factsFrom({ values: pool('10.0.0.0/16'), cluster, objects });
  const [found] = hazard.foretell(facts).findings;
  expect(found?.message).toContain('overlaps addresses of nodes: 10.0.1.64 and 10.0.1.65');
});

test('a supernet for new nodes is a milder matter than ranges in use', () => {
  const wide = { ...cluster, podCidrs: ['10.244.0.0/15'] };
  const facts = factsFrom({ values: pool('10.245.0.0/16'), cluster: wide, objects });
  expect(hazard.foretell(facts).findings.map(({ severity }) => severity)).toEqual(['medium']);
});

test('near miss: the neighbouring range', () => {
  const facts = factsFrom({ values: pool('10.245.0.0/16'), cluster, objects });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: with ipam.mode kubernetes the pool is not used', () => {
  const values = `${pool('10.244.0.0/16')}  mode: kubernetes\n`;
  expect(hazard.foretell(factsFrom({ values, cluster, objects })).findings).toEqual([]);
});

test('unknown: values alone tell of no range in use', () => {
  expect(hazard.foretell(factsFrom({ values: pool('10.245.0.0/16') }))).toEqual({
    findings: [],
    missing: ['Node objects (kubectl get nodes -o json)', 'the Service range of the cluster'],
  });
});

test('fires exactly when the arithmetic says so', () => {
  assert(
    property(nat(15), integer({ min: 12, max: 24 }), nat(15), (low, prefix, third) => {
      const values = pool(`10.${240 + low}.0.0/${prefix}`);
      const taken = node('w1', { ip: '192.168.0.1', podCidr: `10.${240 + third}.7.0/24` });
      const size = 2 ** (32 - prefix);
      const first = Math.floor(((240 + low) * 65536) / size) * size;
      const used = (240 + third) * 65536 + 7 * 256;
      const expected = used + 255 >= first && used < first + size;
      const facts = factsFrom({ values, cluster: { serviceCidrs: [] }, objects: [taken] });
      expect(hazard.foretell(facts).findings).toHaveLength(expected ? 1 : 0);
    }),
  );
});
