import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const eks = node('ip-10-0-1-5', { labels: { 'eks.amazonaws.com/nodegroup': 'blue' } });

test('the VPC CNI of EKS is managed by EKS', () => {
  const cni = daemonSet('aws-node', { namespace: 'kube-system', managers: ['eks'] });
  expect(hazard.foretell(factsFrom({ objects: [eks, cni] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'The nodes belong to Amazon EKS. Its control plane owns the CNI that is there: what the migration deletes or patches is written back after minutes, and every new or recycled node starts with the old conf.',
        evidence: [
          { source: 'DaemonSet kube-system/aws-node', path: 'metadata.managedFields' },
          { source: 'Node ip-10-0-1-5', value: 'eks.amazonaws.com/nodegroup' },
        ],
        fix: {
          summary:
            'Remove the vpc-cni add-on through the EKS API (and kube-proxy when it is replaced), then replace the node groups with ones that carry the new CNI and its start-up taint.',
        },
      }),
    ]),
  );
});

test('labels alone make it likely', () => {
  expect(hazard.foretell(factsFrom({ objects: [eks] })).findings[0]?.certainty).toBe('likely');
});

test("near miss: one's own nodes in the same cloud", () => {
  const labels = { 'topology.kubernetes.io/zone': 'eu-central-1a' };
  expect(hazard.foretell(factsFrom({ objects: [node('w1', { labels })] }))).toEqual(judged());
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
