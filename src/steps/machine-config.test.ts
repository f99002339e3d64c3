/** Whether a machine config holds a patch: what is there counts, not how it is written. */
import { describe, expect, it } from 'vitest';
import { holdsPatch } from './machine-config.ts';

const CONFIG = `
version: v1alpha1
cluster:
  network:
    cni: {name: flannel}
    podSubnets: [10.244.0.0/16]
  proxy: {disabled: true}
---
apiVersion: v1alpha1
kind: KubeFlannelCNIConfig
backendType: vxlan
---
apiVersion: v1alpha1
kind: KubeProxyConfig
enabled: true
`;

describe('holdsPatch', () => {
  it.each([
    ['a value that is there', 'cluster: {proxy: {disabled: true}}', true],
    ['a value that is another', 'cluster: {network: {cni: {name: none}}}', false],
    ['a list that is the same', 'cluster: {network: {podSubnets: [10.244.0.0/16]}}', true],
    ['a list with more', 'cluster: {network: {podSubnets: [10.244.0.0/16, 10.245.0.0/16]}}', false],
    [
      'a value that is not there',
      'machine: {kubelet: {nodeIP: {validSubnets: [10.0.0.0/24]}}}',
      false,
    ],
    [
      'a document of another kind',
      'apiVersion: v1alpha1\nkind: KubeProxyConfig\nenabled: false',
      false,
    ],
    ['the same document', 'apiVersion: v1alpha1\nkind: KubeProxyConfig\nenabled: true', true],
    [
      'a deletion of what is there',
      'apiVersion: v1alpha1\nkind: KubeFlannelCNIConfig\n$patch: delete',
      false,
    ],
    [
      'a deletion of what is gone',
      'apiVersion: v1alpha1\nkind: KubePrismConfig\n$patch: delete',
      true,
    ],
  ])('%s', (_name, patch, expected) => {
    expect(holdsPatch(CONFIG, patch)).toBe(expected);
  });
});
