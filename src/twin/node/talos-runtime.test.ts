/**
 * Lines of knowledge/talos-and-cni-selection.md 4.1 to 4.3 about files and the runtime that reads them,
 * each test named after its line; lines about files alone are in talos-file-system.test.ts, 4.4 to
 * 4.6 in machine/talos-sections.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { talosRelease } from '../../knowledge/talos-versions.ts';
import { constantsWith } from '../constants.ts';
import { Kernel } from '../kernel/kernel.ts';
import { createRuntime } from '../runtime/create-runtime.ts';
import type { NodeRuntime } from '../runtime/node-runtime.ts';
import { NodeFileSystem } from './node-file-system.ts';

const CONF = '/etc/cni/net.d/10-flannel.conflist';
const EVERY = ['1.7.5', '1.8.0', '1.10.5', '1.13.9', '1.14.0-rc.1'];
const FLANNEL_CONF = JSON.stringify({
  name: 'cbr0',
  cniVersion: '1.0.0',
  plugins: [{ type: 'flannel', delegate: { isDefaultGateway: true } }],
});

interface TalosNode {
  readonly kernel: Kernel;
  readonly files: NodeFileSystem;
  readonly runtime: NodeRuntime;
  reboot(): void;
}

/** A machine of that release with its own containerd; what 1.7 had copied to /opt is there too. */
function talosNode(version: string): TalosNode {
  const kernel = new Kernel(1);
  const { flannelPlugin = '1.2.0', containerd } = talosRelease(version);
  const image = { distribution: 'talos', version, flannelPlugin } as const;
  const files = new NodeFileSystem({ kernel, node: 'n', ...image });
  for (const name of ['loopback', 'bridge', 'host-local', 'flannel']) {
    const path = `/opt/cni/bin/${name}`;
    if (!files.exists(path)) files.write(path, `${name} ${flannelPlugin}`, { mode: 0o755 });
  }
  const runtime = createRuntime({
    kind: 'containerd',
    version: containerd,
    node: 'n',
    kernel,
    constants: constantsWith(),
    files,
    sockets: new Map(),
    confDirectory: '/etc/cni/net.d',
    binDirectories: ['/opt/cni/bin'],
  });
  kernel.runUntil(1);
  const reboot = (): void => {
    runtime.powerLost();
    files.lose('reboot');
    runtime.powerOn();
    kernel.runUntil(kernel.now() + 100);
  };
  return { kernel, files, runtime, reboot };
}

function pod(runtime: NodeRuntime): string {
  const request = { podUid: 'u', namespace: 'd', name: 'p', hostNetwork: false, hostPorts: [] };
  const made = runtime.adopt(request);
  return made.ok ? 'ok' : made.message;
}

describe('4.1 file system', () => {
  it.each(EVERY)('%s: the rest of /etc is not to be written to', (version) => {
    const { files } = talosNode(version);
    expect(() => files.write('/etc/resolv.conf', 'x')).toThrow(/read-only file system/);
  });

  it('1.14 has no /usr/libexec/kubernetes any more (FlexVolume)', () => {
    const { files } = talosNode('1.14.0-rc.1');
    expect(() => files.write('/usr/libexec/kubernetes/x', 'x')).toThrow(/read-only file system/);
  });

  it.each([
    ['1.8.0', true],
    ['1.10.5', true],
    ['1.13.9', true],
    ['1.14.0-rc.1', false],
  ])('%s: an upgrade keeps /etc/cni: %s; it always keeps /opt', (version, keepsConf) => {
    const { files } = talosNode(version);
    files.write(CONF, '{}');
    files.write('/opt/cni/bin/cilium-cni', 'cilium-cni 1.16.5');
    files.lose('upgrade');
    expect([files.exists(CONF), files.exists('/opt/cni/bin/cilium-cni')]).toEqual([
      keepsConf,
      true,
    ]);
  });

  it.each(EVERY)('%s: a wiped EPHEMERAL takes confs, added binaries and leases', (version) => {
    const { files } = talosNode(version);
    const paths = [CONF, '/opt/cni/bin/cilium-cni', '/var/lib/cni/networks/cbr0/10.244.1.2'];
    for (const path of paths) files.write(path, 'x');
    files.lose('ephemeral-wipe');
    expect(paths.filter((path) => files.exists(path))).toEqual([]);
  });

  it('1.14: after each boot there is no conf, until an agent writes one', () => {
    const { kernel, files, runtime, reboot } = talosNode('1.14.0-rc.1');
    files.write(CONF, FLANNEL_CONF);
    kernel.runUntil(kernel.now() + 100);
    expect(runtime.networkStatus().ready).toBe(true);
    reboot();
    expect(runtime.networkStatus()).toMatchObject({
      ready: false,
      message: 'Network plugin returns error: cni plugin not initialized',
    });
    files.write(CONF, FLANNEL_CONF);
    kernel.runUntil(kernel.now() + 100);
    expect(runtime.networkStatus().ready).toBe(true);
  });

  it('1.13: after a boot the conf of before is loaded, though nobody wrote it again', () => {
    const { kernel, files, runtime, reboot } = talosNode('1.13.9');
    files.write(CONF, FLANNEL_CONF);
    kernel.runUntil(kernel.now() + 100);
    reboot();
    expect(runtime.networkStatus().ready).toBe(true);
    expect(runtime.loadedNetworks().at(-1)?.network.name).toBe('cbr0');
  });

  it('bpffs pins and /var/run/cilium, from which Cilium restores, are gone together', () => {
    const { files, reboot } = talosNode('1.10.5');
    const paths = ['/sys/fs/bpf/tc/globals/cilium_lxc', '/var/run/cilium/state/ep/42'];
    for (const path of paths) files.write(path, 'x');
    reboot();
    expect(paths.filter((path) => files.exists(path))).toEqual([]);
  });
});

describe('4.2 CNI binaries', () => {
  it('cilium-cni lands in the upper layer and persists across reboot and upgrade', () => {
    const { files, reboot } = talosNode('1.10.5');
    files.write('/opt/cni/bin/cilium-cni', 'cilium-cni 1.16.5');
    reboot();
    files.lose('upgrade');
    files.reimage({ distribution: 'talos', version: '1.11.0' });
    expect(files.read('/opt/cni/bin/cilium-cni')).toBe('cilium-cni 1.16.5');
    expect(files.exists('/var/system/overlays/opt-diff/cni/bin/cilium-cni')).toBe(true);
  });

  it('the image has no tuning, bandwidth, macvlan or dhcp: a conf that chains one fails at ADD', () => {
    const { kernel, files, runtime } = talosNode('1.10.5');
    files.write(
      CONF,
      JSON.stringify({ name: 'x', cniVersion: '1.0.0', plugins: [{ type: 'tuning' }] }),
    );
    kernel.runUntil(kernel.now() + 100);
    expect(runtime.networkStatus().ready).toBe(true);
    expect(pod(runtime)).toContain('failed to find plugin "tuning" in path [/opt/cni/bin]');
  });
});

const OLD = 'loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory';
const NEW =
  "failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log for this node.";

describe('4.3 versions', () => {
  it.each([
    ['1.7.0', '1.30.0', '1.7.15', '0.25.1', undefined, OLD],
    ['1.8.0', '1.31.1', '2.0.0-rc.4', '0.25.6', '1.5.1-flannel2', OLD],
    ['1.9.0', '1.32.0', '2.0.1', '0.26.1', '1.5.1-flannel3', OLD],
    ['1.10.0', '1.33.0', '2.0.5', '0.26.7', '1.5.1-flannel3', OLD],
    ['1.10.5', '1.33.2', '2.0.5', '0.26.7', '1.5.1-flannel3', OLD],
    ['1.11.0', '1.34.0', '2.1.4', '0.27.2', '1.7.1-flannel1', OLD],
    ['1.12.0', '1.35.0', '2.1.6', '0.27.4', '1.8.0-flannel2', NEW],
    ['1.13.0', '1.36.0', '2.2.3', '0.28.4', '1.9.1-flannel1', NEW],
    ['1.13.9', '1.36.3', '2.2.7', '0.28.8', '1.9.1-flannel3', NEW],
    ['1.14.0-rc.1', '1.37.0-rc.0', '2.3.3', '0.28.9', '1.9.1-flannel3', NEW],
  ])(
    'Talos %s: k8s %s, containerd %s, Flannel %s, plugin %s, and its words for a missing subnet.env',
    (version, kubernetes, containerd, flannel, flannelPlugin, words) => {
      const release = talosRelease(version);
      expect(release).toMatchObject({ kubernetes, containerd, flannel, flannelPlugin });
      const { kernel, files, runtime } = talosNode(version);
      files.write(CONF, FLANNEL_CONF);
      kernel.runUntil(kernel.now() + 100);
      expect(runtime.version).toBe(containerd);
      expect(pod(runtime)).toContain(`plugin type="flannel" failed (add): ${words}`);
    },
  );
});
