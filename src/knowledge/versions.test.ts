/** Version tables: the thresholds that decide what a migration does. */
import { describe, expect, it } from 'vitest';
import {
  hostLocalFate,
  nodeConfigApiVersion,
  servedNodeConfigVersions,
} from './cilium-versions.ts';
import { cniDirectories, distributionFlannel } from './distributions.ts';
import { removesRulesOnExit, subnetEnvMissingMessage } from './flannel-versions.ts';
import {
  kubeProxyMode,
  preserveSkipsEtcdCheck,
  talosFileSystem,
  talosRelease,
  upgradeK8sPrunes,
  upgradeWipesEphemeral,
} from './talos-versions.ts';

describe('Cilium', () => {
  it('serves CiliumNodeConfig in v2 from 1.16, and v2alpha1 but for two releases', () => {
    expect(nodeConfigApiVersion('1.15.19')).toBe('cilium.io/v2alpha1');
    expect(nodeConfigApiVersion('1.16.0')).toBe('cilium.io/v2');
    expect(servedNodeConfigVersions('1.19.6')).toContain('cilium.io/v2alpha1');
    expect(servedNodeConfigVersions('1.20.0')).toEqual(['cilium.io/v2']);
    expect(servedNodeConfigVersions('1.20.2')).toContain('cilium.io/v2alpha1');
  });

  it.each([
    ['1.16.4', 'tunnel', 'stack'],
    ['1.16.4', 'native', 'dropped'],
    ['1.16.5', 'tunnel', 'dropped'],
    ['1.17.0', 'tunnel', 'dropped'],
    ['1.18.1', 'tunnel', 'dropped'],
    ['1.18.2', 'native', 'unproven'],
  ] as const)('%s in %s mode sends host-local addresses to: %s', (version, routing, fate) => {
    expect(hostLocalFate(version, routing)).toBe(fate);
  });
});

describe('Talos', () => {
  it('finds the row that holds for a release', () => {
    expect(talosRelease('1.10.2')).toMatchObject({ containerd: '2.0.5', flannel: '0.26.7' });
    expect(talosRelease('1.10.5').kubernetes).toBe('1.33.2');
    expect(talosRelease('v1.13.4').containerd).toBe('2.2.3');
    expect(talosRelease('1.6.0').version).toBe('1.7.0');
  });

  it('keeps /etc/cni on disk until 1.13 and in memory from 1.14', () => {
    expect(talosFileSystem('1.13.9').etcCni).toBe('overlay');
    expect(talosFileSystem('1.14.0-rc.1')).toMatchObject({ etcCni: 'tmpfs', opt: 'overlay' });
  });

  it('upgrades and prunes by version', () => {
    expect(upgradeWipesEphemeral('1.7.7', false)).toBe(true);
    expect(upgradeWipesEphemeral('1.8.0', false)).toBe(false);
    expect([upgradeK8sPrunes('1.12.11'), upgradeK8sPrunes('1.13.0')]).toEqual([false, true]);
    expect(['1.12.0', '1.12.11', '1.13.0', '1.13.9'].map(preserveSkipsEtcdCheck)).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('runs kube-proxy in nftables mode where both versions allow it', () => {
    expect(kubeProxyMode('1.10.2', '1.33.0')).toBe('nftables');
    expect(kubeProxyMode('1.10.2', '1.30.1')).toBe('iptables');
    expect(kubeProxyMode('1.7.7', '1.31.0')).toBe('iptables');
  });
});

describe('Flannel', () => {
  it('words a missing subnet.env by plugin version', () => {
    const path = '/run/flannel/subnet.env';
    const old = `loadFlannelSubnetEnv failed: open ${path}: no such file or directory`;
    expect(subnetEnvMissingMessage('v1.5.1-flannel3', path)).toBe(old);
    expect(subnetEnvMissingMessage('v1.7.1-flannel1', path)).toBe(old);
    expect(subnetEnvMissingMessage('v1.7.1-flannel2', path)).toMatch(/^failed to load flannel/);
    expect(subnetEnvMissingMessage('1.9.1-flannel1', path)).toMatch(/Check the flannel pod log/);
  });

  it('takes its rules along only from 0.25 to 0.26', () => {
    expect(['0.24.4', '0.25.1', '0.26.7', '0.27.0'].map(removesRulesOnExit)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('distributions', () => {
  it('move K3s out of its own directories with the bundled Flannel', () => {
    expect(cniDirectories('k3s', { bundledFlannel: true }).confDir).toMatch(/^\/var\/lib\/rancher/);
    expect(cniDirectories('k3s', { bundledFlannel: false }).confDir).toBe('/etc/cni/net.d');
    expect(cniDirectories('rke2', { bundledFlannel: true }).binDir).toBe('/opt/cni/bin');
  });

  it('put Flannel on 4789 with Talos, on 8472 elsewhere', () => {
    expect(distributionFlannel('talos').port).toBe(4789);
    expect(distributionFlannel('k3s')).toMatchObject({ daemonSet: undefined, port: 8472 });
  });
});
