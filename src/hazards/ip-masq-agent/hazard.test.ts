import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, deployment, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const agent = daemonSet('ip-masq-agent', {
  namespace: 'kube-system',
  image: 'registry.k8s.io/networking/ip-masq-agent:v2.9.3',
});

test('an agent whose list nobody takes over', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [node('w1'), agent] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          'DaemonSet kube-system/ip-masq-agent lists networks that see pod addresses, and ipMasqAgent.enabled is not on in these values. Pods on migrated nodes reach those networks from the address of their node, which whoever filters there does not expect.',
        evidence: [
          { source: 'values.yaml:1:1', file: 'values.yaml', line: 1, column: 1 },
          { source: 'DaemonSet kube-system/ip-masq-agent' },
        ],
        fix: {
          summary:
            'Give Cilium the same list (its ip-masq-agent reads the same ConfigMap and needs bpf.masquerade), or widen the filters outside before the migration.',
          patch: 'ipMasqAgent:\n  enabled: true\nbpf:\n  masquerade: true\n',
        },
      }),
    ]),
  );
});

test('near miss: Cilium reads the list', () => {
  const values = 'ipMasqAgent:\n  enabled: true\n';
  expect(hazard.foretell(factsFrom({ values, objects: [node('w1'), agent] }))).toEqual(judged());
});

test('near miss: no agent', () => {
  expect(
    hazard.foretell(factsFrom({ values: 'a: 1\n', objects: [node('w1'), deployment('web')] })),
  ).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom({ values: 'a: 1\n' })).missing).not.toEqual([]);
});
