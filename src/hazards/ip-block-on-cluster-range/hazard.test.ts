import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const w1 = node('w1', { ip: '10.0.1.64', podCidr: '10.244.1.0/24' });
const policy = (cidr: string) =>
  object(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    'db',
    { spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr } }] }] } },
    { namespace: 'shop' },
  );

test('a block of pod addresses', () => {
  expect(hazard.foretell(factsFrom({ objects: [w1, policy('10.244.0.0/16')] }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'ip-block-on-cluster-range',
        covers: ['FM-16'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'NetworkPolicy shop/db names 10.244.0.0/16, which overlaps pods of this cluster. On Cilium an ipBlock selects only what is outside the cluster, so this rule does not allow traffic with pods.',
        evidence: [
          {
            source: 'NetworkPolicy shop/db',
            path: 'spec.ingress[0].from[0].ipBlock.cidr',
            value: '10.244.0.0/16',
          },
        ],
        fix: {
          summary:
            'Say what is meant by selectors (podSelector, namespaceSelector), or for nodes and the API server by a CiliumNetworkPolicy with entities; for nodes alone policyCIDRMatchMode helps.',
        },
        references: hazard.references,
      },
    ],
  });
});

test('a block of node addresses has a value that helps', () => {
  const [found] = hazard.foretell(factsFrom({ objects: [w1, policy('10.0.1.0/24')] })).findings;
  expect(found?.fix?.patch).toBe('policyCIDRMatchMode: ["nodes"]\n');
});

test('the whole world may be meant as such', () => {
  const [found] = hazard.foretell(factsFrom({ objects: [w1, policy('0.0.0.0/0')] })).findings;
  expect([found?.severity, found?.certainty]).toEqual(['medium', 'possible']);
});

test('near miss: an address outside the cluster', () => {
  expect(hazard.foretell(factsFrom({ objects: [w1, policy('203.0.113.0/24')] }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('near miss: nodes may be matched by CIDR', () => {
  const values = 'policyCIDRMatchMode: [nodes]\n';
  const facts = factsFrom({ values, objects: [w1, policy('10.0.1.0/24')] });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ objects: [policy('10.0.1.0/24')] })).missing).toEqual([
    'network policies of the cluster (kubectl get netpol,cnp,ccnp -A -o json)',
    'Node objects (kubectl get nodes -o json)',
  ]);
});
