import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { node, service } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const ingress = (externalTrafficPolicy: string) =>
  service('ingress', { type: 'LoadBalancer', externalTrafficPolicy });
const values = 'kubeProxyReplacement: true\n';

test('a load balancer that asks the nodes', () => {
  const facts = factsFrom({ values, objects: [node('w1'), ingress('Local')] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          '1 Service with externalTrafficPolicy Local (Service default/ingress) depend on health checks that kube-proxy answers today. When Cilium takes over, nothing listens on port 10256 (kubeProxyReplacementHealthzBindAddr is not set), and the moment a node counts as healthy changes: a load balancer takes nodes out too early or keeps dead ones.',
        evidence: [
          {
            source: 'Service default/ingress',
            path: 'spec.externalTrafficPolicy',
            value: 'Local',
          },
        ],
        fix: {
          summary:
            'Set the bind address, keep kube-proxy until the pool of the load balancer has moved, and probe from outside while nodes are switched.',
          patch: "kubeProxyReplacementHealthzBindAddr: '0.0.0.0:10256'\n",
        },
      }),
    ]),
  );
});

test('near miss: traffic may go to any node', () => {
  const facts = factsFrom({ values, objects: [node('w1'), ingress('Cluster')] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('near miss: kube-proxy stays', () => {
  const facts = factsFrom({ values: 'a: 1\n', objects: [node('w1'), ingress('Local')] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).toEqual([
    'Services of the cluster (kubectl get services -A -o json)',
  ]);
});
