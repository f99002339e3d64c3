/** Talos machine configs, patches, and the resources talosctl prints them in. */
import { describe, expect, it } from 'vitest';
import { read } from './testing.ts';

const MACHINE_CONFIG = `version: v1alpha1
debug: false
machine:
  type: controlplane
  token: redacted
  features:
    hostDNS:
      enabled: true
      forwardKubeDNSToHost: true
cluster:
  clusterName: home
  controlPlane:
    endpoint: https://10.0.1.200:6443
  network:
    podSubnets:
      - 10.244.0.0/16
`;

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

function resource(id: string): string {
  return `node: 10.0.1.61\nmetadata:\n  namespace: config\n  type: MachineConfigs.config.talos.dev\n  id: ${id}\nspec: |\n${indent(MACHINE_CONFIG, 2)}`;
}

describe('Talos machine configs', () => {
  it('tells a config from a patch', () => {
    const input = read({
      'cp.yaml': MACHINE_CONFIG,
      'patch.yaml': 'cluster:\n  proxy:\n    disabled: true\n',
    });
    expect(input.machineConfigs.map(({ kind, style }) => [kind, style])).toEqual([
      ['config', 'v1alpha1'],
      ['patch', 'v1alpha1'],
    ]);
  });

  it('reads several documents of one config, and the style they tell', () => {
    const text = `${MACHINE_CONFIG}---\napiVersion: v1alpha1\nkind: KubeFlannelCNIConfig\nbackendType: vxlan\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: talos-cp-01\n`;
    const [config] = read({ 'cp.yaml': text }).machineConfigs;
    expect(config).toMatchObject({
      kind: 'config',
      style: 'documents',
      node: { known: true, value: 'talos-cp-01', source: { line: 24 } },
    });
    expect(config?.documents.map(({ kind }) => kind)).toEqual([
      'v1alpha1',
      'KubeFlannelCNIConfig',
      'HostnameConfig',
    ]);
  });

  it.each([
    ['an object (Talos up to 1.11)', `spec:\n${indent(MACHINE_CONFIG, 4)}`],
    ['a text (Talos from 1.12)', `spec: |\n${indent(MACHINE_CONFIG, 4)}`],
  ])('reads talosctl get machineconfig -o yaml with spec as %s', (_name, spec) => {
    const text = `node: 10.0.1.61\nmetadata:\n    namespace: config\n    type: MachineConfigs.config.talos.dev\n    id: v1alpha1\n    phase: running\n${spec}`;
    const [config] = read({ 'mc.yaml': text }).machineConfigs;
    expect(config).toMatchObject({ kind: 'config', node: { known: true, value: '10.0.1.61' } });
    const located = config?.documents[0]?.tree.at('machine.features.hostDNS.enabled');
    expect(located).toMatchObject({
      value: true,
      source: { file: 'mc.yaml', line: 15, column: 20 },
    });
  });

  it('names the node by its address, leaves out the persistent copy', () => {
    const node = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'talos-cp-01' },
      status: { addresses: [{ type: 'InternalIP', address: '10.0.1.61' }] },
    });
    const input = read({
      'mc.yaml': `${resource('v1alpha1')}---\n${resource('persistent')}`,
      'nodes.json': node,
    });
    expect(input.machineConfigs.map((config) => config.node)).toMatchObject([
      { known: true, value: 'talos-cp-01' },
    ]);
    expect(input.ignored[0]?.reason).toContain('persistent');
  });

  it('reads a JSON6902 patch as what it amounts to, with positions', () => {
    const text =
      '- op: add\n  path: /cluster/network/cni\n  value:\n    name: none\n- op: replace\n  path: /cluster/proxy/disabled\n  value: true\n- op: remove\n  path: /machine/sysctls\n';
    const [config] = read({ 'p.yaml': text }).machineConfigs;
    expect(config?.kind).toBe('patch');
    const tree = config?.documents[0]?.tree;
    expect(tree?.value).toEqual({
      cluster: { network: { cni: { name: 'none' } }, proxy: { disabled: true } },
    });
    expect(tree?.at('cluster.network.cni.name')?.source).toMatchObject({ line: 4, column: 11 });
    expect(tree?.at('cluster.proxy.disabled')?.source).toMatchObject({ line: 7, column: 10 });
    expect(tree?.nearest('cluster.network.podSubnets')).toMatchObject({ line: 2 });
  });
});
