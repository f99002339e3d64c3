import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, pod } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const server = pod('kube-apiserver-c1', {
  namespace: 'kube-system',
  node: 'c1',
  hostNetwork: true,
});

test('an API server on a node without the label', () => {
  const old = node('c1', { labels: { 'node-role.kubernetes.io/master': '' } });
  expect(hazard.foretell(factsFrom({ objects: [old, server] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'c1 runs a kube-apiserver and does not carry the label node-role.kubernetes.io/control-plane. Whatever goes by labels migrates it as a worker.',
        evidence: [{ source: 'Node c1', path: 'metadata.labels' }],
        fix: {
          summary: 'Label the control planes.',
          command: 'kubectl label node c1 node-role.kubernetes.io/control-plane=',
        },
      }),
    ]),
  );
});

test('near miss: labelled', () => {
  const objects = [node('c1', { controlPlane: true }), server];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual(judged());
});

test('near miss: a pod that is only called like one', () => {
  const proxy = pod('kube-apiserver-proxy', { namespace: 'kube-system', node: 'c1' });
  expect(hazard.foretell(factsFrom({ objects: [node('c1'), proxy] }))).toEqual(judged());
});

test('unknown: no nodes were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'Node objects (kubectl get nodes -o json)',
  ]);
});
