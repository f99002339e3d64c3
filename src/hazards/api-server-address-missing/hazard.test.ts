import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const PROXY_OFF = {
  text: 'cluster:\n  proxy:\n    disabled: true\n',
  file: 'talos-patch.yaml',
  kind: 'patch' as const,
};

test('a patch takes kube-proxy away', () => {
  const values = 'tunnelPort: 8473\nkubeProxyReplacement: true\n';
  const { findings } = hazard.foretell(factsFrom({ values, machineConfigs: [PROXY_OFF] }));
  expect(findings).toMatchObject([
    {
      severity: 'critical',
      certainty: 'proven',
      evidence: [{ source: 'values.yaml:2:23' }, { source: 'talos-patch.yaml:3:15', value: true }],
      fix: { patch: 'k8sServiceHost: localhost\nk8sServicePort: 7445\n' },
    },
  ]);
});

test('the document form of 1.14 takes it away too', () => {
  const text = 'apiVersion: v1alpha1\nkind: KubeProxyConfig\nenabled: false\n';
  const { findings } = hazard.foretell(
    factsFrom({ values: 'debug: {}\n', machineConfigs: [{ ...PROXY_OFF, text }] }),
  );
  expect(findings).toMatchObject([{ severity: 'critical' }]);
});

test('replacement alone, with kube-proxy kept so far', () => {
  const facts = factsFrom({
    values: 'kubeProxyReplacement: true\n',
    cluster: { distribution: 'kubeadm' },
  });
  expect(hazard.foretell(facts).findings).toMatchObject([
    { severity: 'high', certainty: 'likely', evidence: [{ line: 1 }] },
  ]);
});

test('a host without a port', () => {
  const { findings } = hazard.foretell(factsFrom({ values: 'k8sServiceHost: localhost\n' }));
  expect(findings).toMatchObject([{ title: 'The address of the API server has no port' }]);
});

test('near miss: the address is there', () => {
  const values = 'kubeProxyReplacement: true\nk8sServiceHost: localhost\nk8sServicePort: 7445\n';
  const facts = factsFrom({ values, machineConfigs: [PROXY_OFF] });
  expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
});

test('near miss: kube-proxy stays', () => {
  const facts = factsFrom({ values: 'kubeProxyReplacement: false\n', kubeProxy: {} });
  expect(hazard.foretell(facts).findings).toEqual([]);
});

test('unknown: no values were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
