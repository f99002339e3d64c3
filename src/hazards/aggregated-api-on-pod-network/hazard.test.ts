import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { deployment, node, object, service } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const metrics = object('apiregistration.k8s.io/v1', 'APIService', 'v1beta1.metrics.k8s.io', {
  spec: { service: { namespace: 'kube-system', name: 'metrics-server' } },
});
const backend = (hostNetwork: boolean) => [
  service('metrics-server', { selector: { app: 'metrics-server' } }, 'kube-system'),
  deployment('metrics-server', { namespace: 'kube-system', spec: { hostNetwork } }),
];

test('metrics-server on the pod network', () => {
  const facts = factsFrom({ objects: [node('w1'), metrics, ...backend(false)] });
  expect(hazard.foretell(facts)).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'APIService v1beta1.metrics.k8s.io is served by pods behind Service kube-system/metrics-server on the pod network. In the phase in which the control planes and those pods are on different networks, or while they move, it is unavailable, and every step that needs discovery stalls with it.',
        evidence: [
          {
            source: 'APIService v1beta1.metrics.k8s.io',
            path: 'spec.service',
            value: 'kube-system/metrics-server',
          },
        ],
        fix: {
          summary:
            'Move its backend together with the control planes, or run it on the host network meanwhile; gates must not depend on it.',
        },
      }),
    ]),
  );
});

test('near miss: on the host network', () => {
  const facts = factsFrom({ objects: [node('w1'), metrics, ...backend(true)] });
  expect(hazard.foretell(facts)).toEqual(judged());
});

test("near miss: the API server's own group", () => {
  const own = object('apiregistration.k8s.io/v1', 'APIService', 'v1.apps', { spec: {} });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), own] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'aggregated APIs (kubectl get apiservices -o json)',
  ]);
});
