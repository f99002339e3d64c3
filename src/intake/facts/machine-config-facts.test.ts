/** Machine configs to facts: what is set, what Talos takes when it is not, and what cannot be said. */
import { describe, expect, it } from 'vitest';
import { factsOf, value } from '../testing-objects.ts';

describe('machine configs', () => {
  const CONFIG = `version: v1alpha1\nmachine:\n  type: controlplane\n  kubelet:\n    nodeIP:\n      validSubnets: [10.0.1.0/24]\n  features:\n    kubePrism: {enabled: true, port: 7446}\ncluster:\n  clusterName: home\n  controlPlane: {endpoint: "https://10.0.1.200:6443"}\n  network:\n    cni: {name: flannel}\n`;

  it('tells what is set with its place, and the default with the place it would have', () => {
    const [config] = factsOf([], { 'cp.yaml': CONFIG }).machineConfigs;
    expect(config).toMatchObject({
      kind: 'config',
      machineType: { value: 'controlplane', source: { file: 'cp.yaml', line: 3, column: 9 } },
      cniName: { value: 'flannel', source: { line: 13, column: 17 } },
      kubePrism: { value: { enabled: true, port: 7446 }, source: { line: 8 } },
      nodeIpValidSubnets: { value: ['10.0.1.0/24'] },
      podSubnets: { value: ['10.244.0.0/16'], source: { line: 12, path: 'cluster.network' } },
      forwardKubeDnsToHost: { value: false },
      clusterName: { value: 'home' },
    });
  });

  it('does not guess a default that depends on the Talos version', () => {
    const text = 'version: v1alpha1\nmachine: {type: worker}\ncluster: {clusterName: home}\n';
    const [config] = factsOf([], { 'w.yaml': text }).machineConfigs;
    expect(config?.cniName).toMatchObject({
      known: false,
      missing: 'the CNI: its default depends on the Talos version',
    });
    const told = (talosVersion: string): string | undefined => {
      const [with_] = factsOf([], { 'w.yaml': text }, { talosVersion }).machineConfigs;
      return with_ && value(with_.cniName);
    };
    expect([told('1.13.9'), told('1.14.0')]).toEqual(['flannel', 'none']);
  });

  it('takes from a patch only what it sets', () => {
    const [patch] = factsOf([], {
      'p.yaml': 'cluster:\n  network:\n    cni:\n      name: none\n',
    }).machineConfigs;
    expect(patch?.cniName).toMatchObject({
      known: true,
      value: 'none',
      source: { line: 4, column: 13 },
    });
    expect(patch?.podSubnets.known).toBe(false);
    expect(patch?.proxyDisabled).toMatchObject({
      missing: 'kube-proxy: the patch p.yaml does not set it',
    });
  });

  it('tells the CNI and the ranges of the cluster', () => {
    const { sourceCni, cluster, flannel } = factsOf([], { 'cp.yaml': CONFIG });
    expect([
      value(sourceCni),
      value(cluster.distribution),
      value(cluster.podCidrs),
      value(cluster.name),
    ]).toEqual(['flannel', 'talos', ['10.244.0.0/16'], 'home']);
    expect(flannel.known && [value(flannel.value.port), value(flannel.value.network)]).toEqual([
      4789,
      '10.244.0.0/16',
    ]);
  });
});
