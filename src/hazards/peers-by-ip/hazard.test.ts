import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { deployment, node, object, statefulSet } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const kafka = (replicas: number, hostNetwork = false) =>
  statefulSet('kafka', { image: 'bitnami/kafka:3.7', replicas, spec: { hostNetwork } });

test('three Kafka brokers', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), kafka(3)] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'peers-by-ip',
        covers: ['FM-19'],
        severity: 'high',
        certainty: 'possible',
        title: hazard.title,
        message:
          'StatefulSet default/kafka runs Kafka. Its pods get new addresses when their nodes are migrated; if its members know each other by pod address, moving the next one before the last has joined again costs its quorum.',
        evidence: [
          {
            source: 'StatefulSet default/kafka',
            path: 'spec.template.spec.containers',
            value: 'bitnami/kafka:3.7',
          },
        ],
        fix: {
          summary:
            'Move its members one at a time, with a gate before the next: no under-replicated partition, and every controller in the quorum.',
        },
        references: hazard.references,
      },
    ],
  });
});

const mon = deployment('rook-ceph-mon-a', { image: 'quay.io/ceph/ceph:v19.2' });

test('Ceph monitors on the pod network', () => {
  const [found] = hazard.foretell(factsFrom({ objects: [node('w1'), mon] })).findings;
  expect(found?.message).toContain('runs Ceph');
});

test('near miss: Ceph on the host network keeps its addresses', () => {
  const spec = { network: { provider: 'host' } };
  const cluster = object('ceph.rook.io/v1', 'CephCluster', 'rook-ceph', { spec });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), mon, cluster] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('near miss: one broker has no peers', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), kafka(1)] })).findings).toEqual([]);
});

test('near miss: brokers on the host network', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), kafka(3, true)] })).findings).toEqual(
    [],
  );
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
