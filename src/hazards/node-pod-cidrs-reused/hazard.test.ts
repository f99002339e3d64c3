import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const values = 'ipam:\n  mode: kubernetes\n';

test('Flannel and Cilium on the ranges of the nodes', () => {
  expect(hazard.foretell(factsFrom({ values, sourceCni: 'flannel' }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'node-pod-cidrs-reused',
        covers: ['FM-04'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          'ipam.mode is kubernetes, so Cilium gives its pods addresses from Node.spec.podCIDRs. flannel gives its pods addresses from the same ranges and neither knows what the other has given, so a node that holds pods of both ends up with two pods at one address.',
        evidence: [
          {
            source: 'values.yaml:2:9',
            file: 'values.yaml',
            path: 'ipam.mode',
            line: 2,
            column: 9,
            value: 'kubernetes',
          },
        ],
        fix: {
          summary:
            'Use cluster-pool with a range of its own for the migration, and keep it. The mode kubernetes is for clusters that start with Cilium.',
          patch:
            'ipam:\n  mode: cluster-pool\n  operator:\n    clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]\n',
        },
        references: hazard.references,
      },
    ],
  });
});

test('near miss: a cluster without a CNI yet', () => {
  expect(hazard.foretell(factsFrom({ values, sourceCni: 'none' }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('near miss: a pool of its own', () => {
  const own = 'ipam:\n  mode: cluster-pool\n';
  expect(hazard.foretell(factsFrom({ values: own, sourceCni: 'flannel' })).findings).toEqual([]);
});

test('unknown: what is to be replaced was not read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).toEqual([
    'the CNI that is to be replaced (its DaemonSet, or a CNI conf)',
  ]);
});
