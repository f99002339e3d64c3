import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const policy = object(
  'networking.k8s.io/v1',
  'NetworkPolicy',
  'deny-all',
  { spec: { podSelector: {} } },
  { namespace: 'shop' },
);
const base = {
  objects: [node('w1'), policy],
  sourceCni: 'flannel' as const,
  values: 'a: 1\n',
};

test('a policy that Flannel ignores', () => {
  const facts = factsFrom({ ...base, flannel: { enforcesPolicies: false } });
  expect(hazard.foretell(facts)).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'dormant-policies',
        covers: ['FM-14'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          '1 NetworkPolicy (NetworkPolicy shop/deny-all) is not enforced by flannel. Cilium enforces a policy for each pod that becomes its endpoint, so traffic that always worked is dropped as nodes are migrated, one node after the other.',
        evidence: [{ source: 'NetworkPolicy shop/deny-all', path: 'spec' }],
        fix: {
          summary:
            'Keep enforcement off during the migration, compare the policies with the traffic that is observed, then switch to audit and only then to default.',
          patch: 'policyEnforcementMode: never\n',
        },
        references: hazard.references,
      },
    ],
  });
});

test('whether Flannel runs its policy sidecar was not read: likely', () => {
  expect(hazard.foretell(factsFrom(base)).findings[0]?.certainty).toBe('likely');
});

test('near miss: enforcement stays off', () => {
  const values = 'policyEnforcementMode: never\n';
  expect(hazard.foretell(factsFrom({ ...base, values }))).toEqual({ findings: [], missing: [] });
});

test('near miss: the policy sidecar enforces them already', () => {
  const facts = factsFrom({ ...base, flannel: { enforcesPolicies: true } });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('near miss: Calico enforces them already', () => {
  expect(hazard.foretell(factsFrom({ ...base, sourceCni: 'calico' })).findings).toEqual([]);
});

test('unknown: policies were not read', () => {
  expect(hazard.foretell(factsFrom({ sourceCni: 'flannel' })).missing).toEqual([
    'network policies of the cluster (kubectl get netpol,cnp,ccnp -A -o json)',
  ]);
});
