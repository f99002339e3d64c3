import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { deployment, node, pod } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const labels = { 'k8s-app': 'kube-dns' };
const coredns = (replicas: number) =>
  deployment('coredns', { namespace: 'kube-system', replicas, labels });
const server = (name: string, on: string) =>
  pod(name, { namespace: 'kube-system', labels, node: on });
const nodes = [node('w1'), node('w2')];

test('one replica', () => {
  expect(hazard.foretell(factsFrom({ objects: [...nodes, coredns(1)] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'cluster-dns-spread',
        covers: ['FM-12'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'Deployment kube-system/coredns runs one replica. From the moment its node is drained until a replacement is Ready on another node, no pod of the cluster resolves a name.',
        evidence: [{ source: 'Deployment kube-system/coredns', path: 'spec.replicas', value: 1 }],
        fix: {
          summary: 'Run at least two replicas on different nodes, one on each side of the change.',
          command: 'kubectl -n kube-system scale deployment coredns --replicas=3',
        },
        references: hazard.references,
      },
    ],
  });
});

test('two replicas on one node', () => {
  const objects = [...nodes, coredns(2), server('a', 'w1'), server('b', 'w1')];
  const [found] = hazard.foretell(factsFrom({ objects })).findings;
  expect(found?.message).toContain(
    'All 2 replicas of Deployment kube-system/coredns run on node w1',
  );
});

test('near miss: two replicas on two nodes', () => {
  const objects = [...nodes, coredns(2), server('a', 'w1'), server('b', 'w2')];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({ findings: [], missing: [] });
});

test('near miss: a cluster of one node has nowhere to spread to', () => {
  const objects = [node('w1'), coredns(2), server('a', 'w1'), server('b', 'w1')];
  expect(hazard.foretell(factsFrom({ objects })).findings).toEqual([]);
});

test('unknown: nodes were read, the DNS Deployment was not', () => {
  expect(hazard.foretell(factsFrom({ objects: nodes })).missing).toEqual([
    'the Deployment behind Service kube-system/kube-dns',
  ]);
});
