import { expect, it } from 'vitest';
import { partsUnder } from './parts-under.ts';

const CONFIG = `
machine:
  token: abcdef.0123456789abcdef
  kubelet: {nodeIP: {validSubnets: [10.0.0.0/24]}, image: kubelet}
cluster:
  secret: s3cr3t
  network: {cni: {name: flannel}, podSubnets: [10.244.0.0/16]}
---
apiVersion: v1alpha1
kind: KubeFlannelCNIConfig
backendType: vxlan
`;

it('has what is replaced, null for what is new, and no secret that lies beside it', () => {
  const patch = 'cluster: {network: {cni: {name: none}}, proxy: {disabled: true}}';
  expect(partsUnder(CONFIG, patch)).toEqual([
    { cluster: { network: { cni: { name: 'flannel' } }, proxy: null } },
  ]);
});

it('has a document whole that is deleted, and says that one was not there', () => {
  const patch = `apiVersion: v1alpha1
kind: KubeFlannelCNIConfig
$patch: delete
---
apiVersion: v1alpha1
kind: KubeProxyConfig
enabled: false`;
  expect(partsUnder(CONFIG, patch)).toEqual([
    { apiVersion: 'v1alpha1', kind: 'KubeFlannelCNIConfig', backendType: 'vxlan' },
    { apiVersion: 'v1alpha1', kind: 'KubeProxyConfig', absent: true },
  ]);
});

it('has lists as they were', () => {
  const patch = 'machine: {kubelet: {nodeIP: {validSubnets: [10.0.1.0/24]}}}';
  expect(partsUnder(CONFIG, patch)).toEqual([
    { machine: { kubelet: { nodeIP: { validSubnets: ['10.0.0.0/24'] } } } },
  ]);
});
