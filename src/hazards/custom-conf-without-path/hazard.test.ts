import { expect, test } from 'vitest';
import type { KubeObject } from '../../model/kubernetes.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const BOTH = 'cni:\n  exclusive: true\n  customConf: true\n';

test('customConf beside exclusive: neither does what it says', () => {
  const { findings, missing } = hazard.foretell(
    factsFrom({ values: BOTH, chartVersion: '1.16.5' }),
  );
  expect(missing).toEqual([]);
  expect(findings).toMatchObject([
    {
      severity: 'critical',
      certainty: 'proven',
      evidence: [{ source: 'values.yaml:3:15' }, { source: 'values.yaml:2:14' }],
      fix: { patch: 'cni:\n  customConf: false\n  exclusive: true\n' },
    },
  ]);
});

test('customConf alone is how the documented migration starts', () => {
  const { findings } = hazard.foretell(factsFrom({ values: 'cni:\n  customConf: true\n' }));
  expect(findings).toMatchObject([{ severity: 'high', certainty: 'likely' }]);
});

test('near miss: a CiliumNodeConfig names the path', () => {
  const nodeConfig = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNodeConfig',
    metadata: { name: 'cilium-default', namespace: 'kube-system' },
    spec: {
      defaults: { 'write-cni-conf-when-ready': '/host/etc/cni/net.d/05-cilium.conflist' },
    },
  };
  const objects: readonly KubeObject[] = [nodeConfig];
  expect(hazard.foretell(factsFrom({ values: BOTH, objects })).findings).toEqual([]);
});

test('near miss: a ConfigMap with the conf gives the agent a path', () => {
  const values = 'cni:\n  customConf: true\n  configMap: my-conf\n';
  expect(hazard.foretell(factsFrom({ values, chartVersion: '1.16.5' })).findings).toEqual([]);
});

test('near miss: customConf off', () => {
  const values = 'cni:\n  exclusive: false\n  customConf: false\n';
  expect(hazard.foretell(factsFrom({ values })).findings).toEqual([]);
});

test('unknown: no values were read', () => {
  expect(hazard.foretell(factsFrom()).missing).toEqual(['Helm values of the target Cilium']);
});
