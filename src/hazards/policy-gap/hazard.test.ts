import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const policy = object(
  'networking.k8s.io/v1',
  'NetworkPolicy',
  'deny',
  { spec: {} },
  { namespace: 'shop' },
);
const base = { objects: [node('w1'), policy], values: 'policyEnforcementMode: never\n' };

test('Canal enforces, and the migration switches enforcement off', () => {
  expect(hazard.foretell(factsFrom({ ...base, sourceCni: 'canal' }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'policy-gap',
        covers: ['FM-15'],
        severity: 'high',
        certainty: 'proven',
        title: hazard.title,
        message:
          'policyEnforcementMode is never, and 1 policy of the cluster is enforced today. From its restart on, a migrated pod accepts and sends everything until the mode is changed, and no probe, event or log shows it.',
        evidence: [
          {
            source: 'values.yaml:1:24',
            file: 'values.yaml',
            path: 'policyEnforcementMode',
            line: 1,
            column: 24,
            value: 'never',
          },
          { source: 'NetworkPolicy shop/deny', path: 'spec' },
        ],
        fix: {
          summary:
            'Agree on the window with whoever relies on the isolation, keep it short (one phase, with a gate that ends it), and watch it with probes that must fail. Clusters that cannot have a gap keep the old enforcer on the nodes that are not migrated and enforce with Cilium node by node.',
        },
        references: hazard.references,
      },
    ],
  });
});

test('near miss: plain Flannel enforces nothing that could be lost', () => {
  const flannel = { enforcesPolicies: false };
  expect(hazard.foretell(factsFrom({ ...base, sourceCni: 'flannel', flannel }))).toEqual({
    findings: [],
    missing: [],
  });
});

test('near miss: enforcement stays on', () => {
  const values = 'policyEnforcementMode: default\n';
  expect(hazard.foretell(factsFrom({ ...base, values, sourceCni: 'calico' })).findings).toEqual([]);
});

test('unknown: whether Flannel runs its policy sidecar', () => {
  expect(hazard.foretell(factsFrom({ ...base, sourceCni: 'flannel' })).missing).toEqual([
    'whether the source CNI enforces network policies',
  ]);
});
