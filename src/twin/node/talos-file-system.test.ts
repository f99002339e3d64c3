/**
 * Talos nodes, line by line as knowledge/talos-and-cni-selection.md 4.1 to 4.3 has them: what each
 * path is on, and what a reboot, an upgrade or a wiped EPHEMERAL leaves of it.
 */
import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { talosRelease } from '../../knowledge/talos-versions.ts';
import { NodeFileSystem } from './node-file-system.ts';
import { readPluginBinary } from './plugin-binary.ts';

const FLANNEL_CONF = '/etc/cni/net.d/10-flannel.conflist';

function talos(version: string): NodeFileSystem {
  const { flannelPlugin } = talosRelease(version);
  return new NodeFileSystem({
    kernel: new Kernel(1),
    node: 'n1',
    distribution: 'talos',
    version,
    ...(flannelPlugin === undefined ? {} : { flannelPlugin }),
  });
}

/** An upgrade as the machine does it: the files go first, then the image is another one. */
function upgrade(files: NodeFileSystem, version: string, preserve = false): void {
  files.lose('upgrade', { preserve });
  files.reimage({ distribution: 'talos', version });
}

const EVERY = ['1.7.5', '1.8.0', '1.10.5', '1.13.9', '1.14.0-rc.1'];
const UNTIL_1_13 = ['1.7.5', '1.8.0', '1.10.5', '1.13.9'];

describe('4.1 file system', () => {
  it.each(EVERY)('%s: / is a read-only image: the image of an upgrade replaces it', (version) => {
    const files = talos(version);
    expect(files.isDirectory('/etc/cni/net.d')).toBe(true);
    files.lose('reboot');
    expect(files.isDirectory('/etc/cni/net.d')).toBe(true);
  });

  it.each(EVERY)('%s: /run, /tmp and /system are tmpfs: a reboot empties them', (version) => {
    const files = talos(version);
    for (const path of ['/run/flannel/subnet.env', '/tmp/x', '/system/state/y']) {
      files.write(path, 'x');
      expect(files.survives(path, 'reboot')).toBe(false);
      expect(files.survives(path, 'upgrade')).toBe(false);
    }
    files.lose('reboot');
    for (const path of ['/run/flannel/subnet.env', '/tmp/x', '/system/state/y']) {
      expect(files.exists(path)).toBe(false);
    }
  });

  it.each(EVERY)('%s: /var is EPHEMERAL: kept over a reboot, gone with a wipe', (version) => {
    const files = talos(version);
    const paths = [
      '/var/lib/cni/networks/cbr0/10.244.1.2',
      '/var/lib/kubelet/x',
      '/var/lib/etcd/y',
    ];
    paths.forEach((path) => files.write(path, 'x'));
    files.lose('reboot');
    expect(paths.filter((path) => files.exists(path))).toEqual(paths);
    files.lose('ephemeral-wipe');
    expect(paths.filter((path) => files.exists(path))).toEqual([]);
  });

  it.each(['1.8.0', '1.10.5', '1.13.9', '1.14.0-rc.1'])(
    '%s: an upgrade always keeps EPHEMERAL (from 1.8)',
    (version) => {
      const files = talos(version);
      files.write('/var/lib/etcd/y', 'x');
      expect(files.survives('/var/lib/etcd/y', 'upgrade')).toBe(true);
      files.lose('upgrade');
      expect(files.exists('/var/lib/etcd/y')).toBe(true);
    },
  );

  it('1.7.5: an upgrade wipes EPHEMERAL, and the overlays on it, unless --preserve is given', () => {
    const wiped = talos('1.7.5');
    wiped.write('/var/lib/cni/x', 'x');
    wiped.write(FLANNEL_CONF, '{}');
    wiped.write('/opt/cni/bin/cilium-cni', 'cilium-cni 1.15.0');
    expect(wiped.survives(FLANNEL_CONF, 'upgrade')).toBe(false);
    upgrade(wiped, '1.7.6');
    expect(wiped.exists('/var/lib/cni/x')).toBe(false);
    expect(wiped.exists(FLANNEL_CONF)).toBe(false);
    expect(wiped.exists('/opt/cni/bin/cilium-cni')).toBe(false);

    const kept = talos('1.7.5');
    kept.write('/var/lib/cni/x', 'x');
    kept.write(FLANNEL_CONF, '{}');
    upgrade(kept, '1.7.6', true);
    expect(kept.exists('/var/lib/cni/x')).toBe(true);
    expect(kept.exists(FLANNEL_CONF)).toBe(true);
  });

  it.each(EVERY)('%s: /var/run leads to /run', (version) => {
    const files = talos(version);
    files.write('/var/run/cilium/state/x', '1');
    expect(files.read('/run/cilium/state/x')).toBe('1');
    files.lose('reboot');
    expect(files.exists('/var/run/cilium/state/x')).toBe(false);
    files.write('/run/y', '2');
    expect(files.read('/var/run/y')).toBe('2');
  });

  it.each(UNTIL_1_13)('%s: /etc/cni is an overlay on EPHEMERAL: a reboot keeps it', (version) => {
    const files = talos(version);
    files.write(FLANNEL_CONF, '{}');
    expect(files.survives(FLANNEL_CONF, 'reboot')).toBe(true);
    files.lose('reboot');
    expect(files.read(FLANNEL_CONF)).toBe('{}');
    files.lose('ephemeral-wipe');
    expect(files.exists(FLANNEL_CONF)).toBe(false);
    expect(files.list('/etc/cni/net.d')).toEqual([]);
  });

  it.each(UNTIL_1_13)('%s: the upper layer of /etc/cni is etc-cni-diff', (version) => {
    const files = talos(version);
    files.write(FLANNEL_CONF, '{}');
    const upper = '/var/system/overlays/etc-cni-diff/net.d/10-flannel.conflist';
    expect(files.read(upper)).toBe('{}');
  });

  it('1.14: /etc/cni is a tmpfs: a reboot leaves the directory, empty', () => {
    const files = talos('1.14.0-rc.1');
    files.write(FLANNEL_CONF, '{}');
    expect(files.survives(FLANNEL_CONF, 'reboot')).toBe(false);
    files.lose('reboot');
    expect(files.list('/etc/cni/net.d')).toEqual([]);
  });

  it('1.13 keeps /etc/kubernetes over a reboot, 1.14 does not', () => {
    const path = '/etc/kubernetes/manifests/x.yaml';
    expect(talos('1.13.9').survives(path, 'reboot')).toBe(true);
    expect(talos('1.14.0-rc.1').survives(path, 'reboot')).toBe(false);
  });

  it('1.13 has /usr/libexec/kubernetes as an overlay', () => {
    const files = talos('1.13.9');
    files.write('/usr/libexec/kubernetes/plugin', 'x');
    files.lose('reboot');
    expect(files.read('/usr/libexec/kubernetes/plugin')).toBe('x');
  });

  it.each(EVERY)('%s: /opt is an overlay: what was added outlives a reboot', (version) => {
    const files = talos(version);
    files.write('/opt/cni/bin/cilium-cni', 'cilium-cni 1.16.5');
    files.lose('reboot');
    expect(files.read('/opt/cni/bin/cilium-cni')).toBe('cilium-cni 1.16.5');
    expect(files.exists('/var/system/overlays/opt-diff/cni/bin/cilium-cni')).toBe(true);
    files.lose('ephemeral-wipe');
    expect(files.exists('/opt/cni/bin/cilium-cni')).toBe(false);
  });

  it.each(EVERY)('%s: /sys/fs/bpf is empty after a reboot', (version) => {
    const files = talos(version);
    files.write('/sys/fs/bpf/tc/globals/cilium_lxc', 'pin');
    expect(files.read('/sys/fs/bpf/tc/globals/cilium_lxc')).toBe('pin');
    files.lose('reboot');
    expect(files.exists('/sys/fs/bpf/tc/globals/cilium_lxc')).toBe(false);
  });
});

describe('4.1 consequences', () => {
  it('an upgrade 1.13 to 1.14 drops a stale conf, and a rollback brings it back', () => {
    const files = talos('1.13.9');
    files.write(FLANNEL_CONF, '{"old":true}');
    upgrade(files, '1.14.0-rc.1');
    expect(files.exists(FLANNEL_CONF)).toBe(false);
    expect(files.read('/var/system/overlays/etc-cni-diff/net.d/10-flannel.conflist')).toBe(
      '{"old":true}',
    );
    files.write('/etc/cni/net.d/05-cilium.conflist', '{"new":true}');
    upgrade(files, '1.13.9');
    expect(files.list('/etc/cni/net.d')).toEqual(['10-flannel.conflist']);
  });

  it('plugins that 1.7 copied into the overlay shadow the bundled ones after an upgrade', () => {
    const files = talos('1.7.5');
    files.write('/opt/cni/bin/flannel', 'flannel 1.2.0');
    upgrade(files, '1.10.5', true);
    expect(files.read('/opt/cni/bin/flannel')).toBe('flannel 1.2.0');
    expect(files.exists('/opt/cni/bin/portmap')).toBe(true);
  });

  it('a bundled plugin removed by hand stays away until the overlay is wiped', () => {
    const files = talos('1.10.5');
    files.remove('/opt/cni/bin/portmap');
    files.lose('reboot');
    expect(files.exists('/opt/cni/bin/portmap')).toBe(false);
    files.lose('ephemeral-wipe');
    expect(files.exists('/opt/cni/bin/portmap')).toBe(true);
  });
});

describe('4.2 CNI binaries', () => {
  it('before 1.8 the image has none', () => {
    expect(talos('1.7.5').list('/opt/cni/bin') ?? []).toEqual([]);
  });

  it.each(['1.8.0', '1.10.5', '1.14.0-rc.1'])(
    '%s: the image has bridge, firewall, flannel, host-local, loopback and portmap only',
    (version) => {
      const names = [...(talos(version).list('/opt/cni/bin') ?? [])].sort();
      expect(names).toEqual(['bridge', 'firewall', 'flannel', 'host-local', 'loopback', 'portmap']);
    },
  );

  it('bundled plugins can be executed', () => {
    expect((talos('1.10.5').modeOf('/opt/cni/bin/portmap') ?? 0) & 0o111).not.toBe(0);
  });
});

describe('4.3 versions', () => {
  it.each([
    ['1.10.5', '1.5.1-flannel3'],
    ['1.12.0', '1.8.0-flannel2'],
    ['1.13.9', '1.9.1-flannel3'],
  ])('%s bundles the flannel plugin %s', (version, plugin) => {
    const content = talos(version).read('/opt/cni/bin/flannel') ?? '';
    expect(readPluginBinary('flannel', content)).toEqual({
      kind: 'program',
      name: 'flannel',
      version: plugin,
    });
  });
});
