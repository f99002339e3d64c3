import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { deployment, node, object, service } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const rule = (resources: string[], apiGroups = ['']) => ({
  apiGroups,
  apiVersions: ['*'],
  operations: ['CREATE', 'UPDATE'],
  resources,
});
const configuration = (webhook: object) =>
  object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'policy', {
    webhooks: [
      {
        name: 'validate.policy.example',
        failurePolicy: 'Fail',
        clientConfig: { service: { namespace: 'policy', name: 'policy' } },
        rules: [rule(['pods'])],
        ...webhook,
      },
    ],
  });
const backend = (hostNetwork: boolean) => [
  service('policy', { selector: { app: 'policy' } }, 'policy'),
  deployment('policy', { namespace: 'policy', spec: { hostNetwork } }),
];

test('a policy engine that must agree to the pods of kube-system', () => {
  const objects = [node('w1'), configuration({}), ...backend(false)];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({
    missing: [],
    findings: [
      {
        hazard: 'webhook-on-pod-network',
        covers: ['FM-21'],
        severity: 'critical',
        certainty: 'proven',
        title: hazard.title,
        message:
          'Webhook validate.policy.example of ValidatingWebhookConfiguration policy has failurePolicy Fail, is answered by pods behind Service policy/policy on the pod network, and must be asked before pods of kube-system may be written. While those pods cannot be reached (their node is drained, or its network is being changed), such writes are refused after 10 seconds, those that would repair the network among them.',
        evidence: [
          {
            source: 'ValidatingWebhookConfiguration policy',
            path: 'webhooks[0].rules',
            value: ['pods of kube-system'],
          },
        ],
        fix: {
          summary:
            'Exclude kube-system (and Nodes, Leases) from the webhook, or set its failurePolicy to Ignore, for the time of the migration only; write down what it was and put it back. Keep two of its pods on different nodes.',
          patch:
            'webhooks:\n  - name: validate.policy.example\n    namespaceSelector:\n      matchExpressions:\n        - key: kubernetes.io/metadata.name\n          operator: NotIn\n          values: [kube-system, kube-node-lease]\n',
        },
        references: hazard.references,
      },
    ],
  });
});

test('a namespace selector does not keep it from Nodes', () => {
  const namespaceSelector = { matchLabels: { watched: 'yes' } };
  const objects = [node('w1'), configuration({ namespaceSelector, rules: [rule(['nodes'])] })];
  const [found] = hazard.foretell(factsFrom({ objects })).findings;
  expect(found?.evidence[0]?.value).toEqual(['nodes']);
  expect(found?.certainty).toBe('likely');
});

test('a rule on everything', () => {
  const objects = [node('w1'), configuration({ rules: [rule(['*/*'], ['*'])] })];
  const [found] = hazard.foretell(factsFrom({ objects })).findings;
  expect(found?.evidence[0]?.value).toContain('leases of kube-node-lease');
});

test('near miss: kube-system is excluded', () => {
  const namespaceSelector = {
    matchExpressions: [
      { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
    ],
  };
  const objects = [node('w1'), configuration({ namespaceSelector })];
  expect(hazard.foretell(factsFrom({ objects }))).toEqual({ findings: [], missing: [] });
});

test('near miss: it may be ignored', () => {
  const objects = [node('w1'), configuration({ failurePolicy: 'Ignore' })];
  expect(hazard.foretell(factsFrom({ objects })).findings).toEqual([]);
});

test('near miss: only pods that ask for it', () => {
  const objectSelector = { matchLabels: { inject: 'true' } };
  const objects = [node('w1'), configuration({ objectSelector })];
  expect(hazard.foretell(factsFrom({ objects })).findings).toEqual([]);
});

test('near miss: its pods are on the host network', () => {
  const objects = [node('w1'), configuration({}), ...backend(true)];
  expect(hazard.foretell(factsFrom({ objects })).findings).toEqual([]);
});

test('unknown: webhooks were not read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual([
    'admission webhooks (kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o json)',
  ]);
});
