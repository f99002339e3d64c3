import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const BOTH = `cluster:
  network:
    cni:
      name: none
  proxy:
    disabled: true
`;

test('one patch takes both', () => {
  const machineConfigs = [{ text: BOTH, kind: 'patch' as const, file: 'patch.yaml' }];
  expect(hazard.foretell(factsFrom({ machineConfigs }))).toMatchObject({
    missing: [],
    findings: [
      {
        severity: 'high',
        certainty: 'proven',
        evidence: [{ source: 'patch.yaml:6:15' }, { source: 'patch.yaml:4:13' }],
      },
    ],
  });
});

test('values that replace kube-proxy while Flannel is there', () => {
  const facts = factsFrom({ values: 'kubeProxyReplacement: true\n', sourceCni: 'flannel' });
  expect(hazard.foretell(facts).findings).toMatchObject([
    { certainty: 'likely', evidence: [{ source: 'values.yaml:1:23' }] },
  ]);
});

test('near miss: kube-proxy kept, or gone long ago, or nothing left to migrate', () => {
  for (const facts of [
    factsFrom({ values: 'kubeProxyReplacement: false\n', sourceCni: 'flannel' }),
    factsFrom({
      values: 'kubeProxyReplacement: true\n',
      sourceCni: 'flannel',
      kubeProxy: { present: false },
    }),
    factsFrom({ values: 'kubeProxyReplacement: true\n', sourceCni: 'cilium' }),
  ]) {
    expect(hazard.foretell(facts)).toEqual({ findings: [], missing: [] });
  }
});

test('unknown: neither values nor configs were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(2);
});
