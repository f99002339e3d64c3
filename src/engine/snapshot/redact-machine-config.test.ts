/** Nothing secret of a machine config reaches a snapshot, and what hazards read stays as it was. */
import { describe, expect, it } from 'vitest';
import { redactMachineConfig } from './redact-machine-config.ts';

const PEM = Buffer.from(`-----BEGIN CERTIFICATE-----\n${'A'.repeat(80)}`).toString('base64');

const CONFIG = `version: v1alpha1 # the only one
machine:
  type: controlplane
  token: abcdef.0123456789abcdef
  ca:
    crt: ${PEM}
    key: ${PEM}
  env:
    http_proxy: http://user:pa55word@proxy:3128
    GITHUB_TOKEN: plain-and-short
  files:
    - path: /var/etc/x
      permissions: 0o600
      content: |
        anything at all
  registries:
    config:
      registry.local:
        auth:
          username: me
          password: hunter22
  network:
    # psk: in-a-comment
    interfaces:
      - interface: wg0
        wireguard:
          privateKey: cHJpdmF0ZQ==
          peers:
            - publicKey: cHVibGlj
              presharedKey: c2hhcmVk
  features:
    hostDNS:
      enabled: true
      forwardKubeDNSToHost: true
cluster:
  secret: c2VjcmV0
  aescbcEncryptionSecret: YWVz
  serviceAccount:
    key: ${PEM}
  network:
    cni:
      name: none
    podSubnets: [10.244.0.0/16]
  inlineManifests:
    - name: cilium
      contents: |
        kind: Secret
        metadata: {name: cilium-ca}
        data:
          ca.key: Zm9v
        ---
        kind: DaemonSet
        metadata: {name: cilium}
---
apiVersion: v1alpha1
kind: ExtensionServiceConfig
name: tailscale
environment:
  - TS_AUTHKEY=tskey-auth-k123
  - HTTPS_PROXY=http://proxy:3128
`;

describe('redactMachineConfig', () => {
  const text = redactMachineConfig(CONFIG) ?? '';

  it('takes out every secret, wherever it stands', () => {
    for (const secret of [
      '0123456789abcdef',
      PEM,
      'pa55word',
      'plain-and-short',
      'anything at all',
      'hunter22',
      'cHJpdmF0ZQ==',
      'c2hhcmVk',
      'in-a-comment',
      'c2VjcmV0',
      'YWVz',
      'Zm9v',
      'tskey-auth',
    ])
      expect(text).not.toContain(secret);
  });

  it('keeps what decides how the network ends, and every document', () => {
    for (const kept of [
      'type: controlplane',
      'forwardKubeDNSToHost: true',
      'podSubnets: [ 10.244.0.0/16 ]',
      'name: cilium-ca',
      'kind: DaemonSet',
      'publicKey: cHVibGlj',
      'kind: ExtensionServiceConfig',
      'HTTPS_PROXY=http://proxy:3128',
      'permissions: 0o600',
    ])
      expect(text).toContain(kept);
    expect(text.match(/^---$/gm)).toHaveLength(1);
  });

  it('keeps nothing of what it cannot parse', () => {
    expect(redactMachineConfig('machine: {token: abc')).toBeUndefined();
  });
});
