/** Strict decoding, merging and effective settings of machine configs, by version. */
import { describe, expect, it } from 'vitest';
import { applyMachineConfigPatch } from './apply-patch.ts';
import { decodeMachineConfig, type DecodedDocument } from './decode.ts';
import { cniFlannelPatch, cniNonePatch, kubeProxyPatch, pinAddressesPatch } from './patches.ts';
import { machineSettings } from './settings.ts';

const DNS_PATCH = `cluster:
  network:
    forwardKubeDNSToHost: false
`;

const WORKER = `version: v1alpha1
machine:
  type: worker
  kubelet:
    image: ghcr.io/siderolabs/kubelet:v1.33.0
  sysctls:
    net.core.somaxconn: "1024"
  features:
    hostDNS:
      enabled: true
      forwardKubeDNSToHost: true
    kubePrism:
      enabled: true
      port: 7445
cluster:
  controlPlane:
    endpoint: https://10.0.1.200:6443
  network:
    podSubnets: [10.244.0.0/16]
    serviceSubnets: [10.96.0.0/12]
`;

const DOCUMENTS = `version: v1alpha1
machine:
  type: controlplane
---
apiVersion: v1alpha1
kind: KubeFlannelCNIConfig
backendType: vxlan
---
apiVersion: v1alpha1
kind: KubeNetworkConfig
podSubnets: [10.1.0.0/16]
serviceSubnets: [10.2.0.0/16]
`;

function documents(text: string, talosVersion = '1.10.2'): readonly DecodedDocument[] {
  const decoded = decodeMachineConfig(text, { talosVersion });
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.documents;
}

function patched(config: string, patch: string, talosVersion = '1.10.2'): string {
  const result = applyMachineConfigPatch(config, patch, talosVersion);
  if (!result.ok) throw new Error(result.message);
  return result.config;
}

describe('strict decoding', () => {
  it('refuses a key in the wrong place, in the words of Talos up to 1.12', () => {
    expect(decodeMachineConfig(DNS_PATCH, { talosVersion: '1.10.2' })).toEqual({
      ok: false,
      message:
        'unknown keys found during decoding:\ncluster:\n    network:\n        forwardKubeDNSToHost: false\n',
      unknownKeys: [
        {
          path: ['cluster', 'network', 'forwardKubeDNSToHost'],
          suggestion: 'machine.features.hostDNS.forwardKubeDNSToHost',
          line: 3,
          column: 5,
        },
      ],
    });
  });

  it('shows comments and entries of lists as Talos does', () => {
    const text = `machine:
  network:
    interfaces:
      - interface: eth0
        speed: fast # not a setting
  kubelet:
    cni: none
`;
    const result = decodeMachineConfig(text, { talosVersion: '1.10.2' });
    expect(result.ok ? '' : result.message).toBe(`unknown keys found during decoding:
machine:
    kubelet:
        cni: none
    network:
        interfaces:
            - speed: fast # not a setting
`);
  });

  it('names document and line from 1.12.3 on, and the document form from 1.14', () => {
    const result = decodeMachineConfig(`---\n${DNS_PATCH}`, { talosVersion: '1.13.9' });
    expect(result.ok ? '' : result.message).toMatch(
      /^error decoding document \/v1alpha1\/ \(line 2\): unknown keys found during decoding:\n/,
    );
    const newer = decodeMachineConfig(DNS_PATCH, { talosVersion: '1.14.0-rc.1' });
    expect(newer.ok ? [] : newer.unknownKeys.map(({ suggestion }) => suggestion)).toEqual([
      'ResolverConfig.hostDNS.forwardKubeDNSToHost',
    ]);
  });

  it.each([
    ['cluster: {network: {podSubnet: [10.1.0.0/16]}}', 'cluster.network.podSubnets'],
    ['machine: {kubePrism: {enabled: true}}', 'machine.features.kubePrism'],
    ['machine: {nodeIP: {validSubnets: [10.0.0.0/8]}}', 'machine.kubelet.nodeIP'],
    ['machine: {network: {advertisedSubnets: [10.0.0.0/8]}}', 'cluster.etcd.advertisedSubnets'],
    ['cluster: {extraFiles: []}', undefined],
  ])('%s belongs to %s', (text, place) => {
    const result = decodeMachineConfig(text, { talosVersion: '1.10.2' });
    expect(result.ok ? undefined : result.unknownKeys[0]?.suggestion).toBe(place);
    expect(result.ok).toBe(false);
  });

  it('lets open maps and directives be', () => {
    expect(decodeMachineConfig(WORKER, { talosVersion: '1.10.2' }).ok).toBe(true);
    const patch = 'machine:\n  sysctls:\n    $patch: delete\n';
    expect(decodeMachineConfig(patch, { talosVersion: '1.10.2' }).ok).toBe(true);
  });

  it('knows keys by version', () => {
    const text = 'cluster: {network: {cni: {flannel: {kubeNetworkPoliciesEnabled: true}}}}';
    expect(decodeMachineConfig(text, { talosVersion: '1.12.0' }).ok).toBe(false);
    expect(decodeMachineConfig(text, { talosVersion: '1.13.0' }).ok).toBe(true);
    const document = 'apiVersion: v1alpha1\nkind: KubePrismConfig\nport: 7445\n';
    expect(decodeMachineConfig(document, { talosVersion: '1.13.9' }).ok).toBe(false);
    expect(decodeMachineConfig(document, { talosVersion: '1.14.0-rc.1' }).ok).toBe(true);
  });
});

describe('patching', () => {
  it('appends lists, but replaces pod subnets; false overrides', () => {
    const patch = `machine:
  certSANs: [b]
  features: {hostDNS: {forwardKubeDNSToHost: false}}
cluster:
  network: {podSubnets: [10.9.0.0/16]}
`;
    const config = patched(WORKER.replace('type: worker', 'type: worker\n  certSANs: [a]'), patch);
    const [main] = documents(config);
    const settings = machineSettings(documents(config), '1.10.2');
    expect(main?.value).toMatchObject({ machine: { certSANs: ['a', 'b'] } });
    expect(settings.podSubnets).toEqual(['10.9.0.0/16']);
    expect(settings.hostDns).toMatchObject({ enabled: true, forwardKubeDnsToHost: false });
  });

  it('refuses a patch with an unknown key and leaves nothing behind', () => {
    const result = applyMachineConfigPatch(WORKER, DNS_PATCH, '1.10.2');
    expect(result).toMatchObject({ ok: false });
    expect(result.ok ? '' : result.message).toContain('unknown keys found during decoding');
  });

  it('takes a config in force as it is, also with keys that are not known here', () => {
    const config = `${WORKER}  discovery:\n    shinyNewKey: true\n`;
    expect(decodeMachineConfig(config, { talosVersion: '1.10.2' }).ok).toBe(false);
    const after = patched(config, 'cluster: {proxy: {disabled: true}}');
    expect(after).toContain('shinyNewKey: true');
    const inForce = decodeMachineConfig(after, { talosVersion: '1.10.2', inForce: true });
    expect(machineSettings(inForce.ok ? inForce.documents : [], '1.10.2').proxyDisabled).toBe(true);
  });

  it('deletes where it is told to, and only what is there', () => {
    const deletion = 'machine:\n  features:\n    hostDNS:\n      $patch: delete\n';
    const once = patched(WORKER, deletion);
    expect(machineSettings(documents(once), '1.10.2').hostDns.enabled).toBe(false);
    const again = applyMachineConfigPatch(once, deletion, '1.10.2');
    expect(again.ok ? '' : again.message).toContain(
      "failed to delete path 'machine.features.hostDNS': lookup failed",
    );
  });

  it('refuses the new form beside the old one on 1.14', () => {
    const document = 'apiVersion: v1alpha1\nkind: KubeFlannelCNIConfig\nbackendType: vxlan\n';
    const result = applyMachineConfigPatch(WORKER, document, '1.14.0-rc.1');
    expect(result.ok ? '' : result.message).toMatch(
      /can't be used with KubeFlannelCNIConfig document/,
    );
  });

  it('refuses urls beside cni none', () => {
    const patch = 'cluster: {network: {cni: {name: none, urls: ["https://example.org/cni.yaml"]}}}';
    const result = applyMachineConfigPatch(WORKER, patch, '1.10.2');
    expect(result.ok ? '' : result.message).toBe('"urls" field should be empty for "none" CNI');
  });
});

describe('settings', () => {
  it('take Flannel for granted up to 1.13, and nothing from 1.14 on', () => {
    const bare = documents('machine: {type: worker}');
    expect(machineSettings(bare, '1.13.9').cniName).toBe('flannel');
    expect(machineSettings(bare, '1.14.0-rc.1').cniName).toBe('none');
    const legacy = documents(WORKER);
    expect(machineSettings(legacy, '1.14.0-rc.1').cniName).toBe('flannel');
  });

  it('read the documents of 1.14', () => {
    const settings = machineSettings(documents(DOCUMENTS, '1.14.0-rc.1'), '1.14.0-rc.1');
    expect(settings).toMatchObject({
      machineType: 'controlplane',
      cniName: 'flannel',
      podSubnets: ['10.1.0.0/16'],
      proxyDisabled: false,
      kubePrism: { enabled: false },
    });
  });

  it('have KubePrism and host DNS off unless the config says so', () => {
    const settings = machineSettings(documents('machine: {type: worker}'), '1.10.2');
    expect(settings.kubePrism).toEqual({ enabled: false, port: 7445 });
    expect(settings.hostDns.forwardKubeDnsToHost).toBe(false);
  });
});

describe('patches for a config', () => {
  it.each([
    ['1.10.2', WORKER],
    ['1.14.0-rc.1', WORKER],
    ['1.14.0-rc.1', DOCUMENTS],
  ])('take CNI and kube-proxy away on %s in its own form', (version, config) => {
    const before = documents(config, version);
    const none = patched(config, cniNonePatch(before, version) ?? '', version);
    const both = patched(none, kubeProxyPatch(documents(none, version), version, false), version);
    const after = machineSettings(documents(both, version), version);
    expect(after).toMatchObject({ cniName: 'none', proxyDisabled: true });
  });

  it.each([
    ['1.10.2', WORKER],
    ['1.14.0-rc.1', WORKER],
    ['1.14.0-rc.1', DOCUMENTS],
  ])('pin addresses on %s in its own form, and add only what is missing', (version, config) => {
    const lan = ['10.0.1.0/24'];
    const patch = pinAddressesPatch(documents(config, version), version, lan, { etcd: true });
    const after = documents(patched(config, patch ?? '', version), version);
    expect(machineSettings(after, version)).toMatchObject({
      nodeIpValidSubnets: lan,
      etcdAdvertisedSubnets: lan,
    });
    expect(pinAddressesPatch(after, version, lan, { etcd: true })).toBeUndefined();
    const workers = pinAddressesPatch(documents(config, version), version, lan, { etcd: false });
    expect(workers).not.toContain('etcd');
  });

  it('give Flannel back as it was', () => {
    for (const [version, config] of [
      ['1.10.2', WORKER],
      ['1.14.0-rc.1', DOCUMENTS],
    ] as const) {
      const before = documents(config, version);
      const none = patched(config, cniNonePatch(before, version) ?? '', version);
      const back = documents(patched(none, cniFlannelPatch(before), version), version);
      expect(machineSettings(back, version).cniName).toBe('flannel');
    }
  });
});
