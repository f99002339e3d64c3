/**
 * What a runtime says and remembers beyond the measured cases (test/truth/): texts by plugin version,
 * the causes behind an answer, occurrences, and what a new version or a reboot changes.
 */
import { describe, expect, it } from 'vitest';
import type { SandboxResult } from '../world.ts';
import {
  BIN,
  CILIUM_CONF,
  CONF,
  FLANNEL_CONF,
  SUBNET,
  SUBNET_ENV,
  type TestNode,
  bridgeConf,
  testNode,
} from './testing.ts';

const FLANNEL_FILE = `${CONF}/10-flannel.conflist`;
const CILIUM_FILE = `${CONF}/05-cilium.conflist`;

function write(node: TestNode, path: string, text: string): void {
  node.files.write(path, text);
  node.advance(100);
}

function failureOf(result: SandboxResult): string {
  if (result.ok) throw new Error('the pod was made');
  return result.message;
}

function kindsBehind(node: TestNode, because: readonly number[]): ReadonlySet<string> {
  const kinds = new Set<string>();
  const open = [...because];
  while (open.length > 0) {
    const id = open.pop();
    const occurrence = node.kernel.occurrences.find((one) => one.id === id);
    if (occurrence === undefined) continue;
    kinds.add(occurrence.kind);
    open.push(...occurrence.because);
  }
  return kinds;
}

describe('flannel without subnet.env', () => {
  it.each([
    ['0.9.1', 'incompatible CNI versions; config is "1.0.0"'],
    ['1.1.0', '(add): open /run/flannel/subnet.env: no such file or directory'],
    ['1.1.2', 'loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file'],
    ['1.5.1-flannel3', 'loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file'],
    ['1.7.1-flannel1', 'loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file'],
    ['1.7.1-flannel2', "failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env"],
    ['1.9.1-flannel3', 'Check the flannel pod log for this node.'],
  ])('plugin %s says: %s', (flannelPlugin, text) => {
    const node = testNode({ flannelPlugin });
    write(node, FLANNEL_FILE, FLANNEL_CONF);
    expect(failureOf(node.run('a'))).toContain(text);
  });

  it('is traced to the reboot that emptied /run and to who wrote the conf', () => {
    const node = testNode();
    const { kernel, files } = node;
    const applied = kernel.occur('client.file-written', { message: 'applied' });
    kernel.because([applied], () => files.write(FLANNEL_FILE, FLANNEL_CONF));
    files.write(SUBNET_ENV, SUBNET);
    node.advance(100);
    node.reboot();
    const result = node.run('a');
    expect(result.ok).toBe(false);
    const kinds = kindsBehind(node, result.ok ? [] : result.because);
    expect(kinds).toContain('node.files-lost');
    expect(kinds).toContain('client.file-written');
  });
});

describe('cilium-cni without its agent', () => {
  it('waits its 30 seconds, then says what to look at', () => {
    const node = testNode();
    write(node, CILIUM_FILE, CILIUM_CONF);
    const before = node.kernel.now();
    const message = failureOf(node.run('a'));
    expect(message).toContain('30.000000 seconds');
    expect(message).toContain('Is the agent running?');
    expect(node.kernel.now() - before).toBeGreaterThanOrEqual(30_000);
  });

  it('goes on when the agent comes up meanwhile', () => {
    const node = testNode();
    write(node, CILIUM_FILE, CILIUM_CONF);
    node.kernel.after(5_000, () => node.startAgent());
    const result = node.run('a');
    expect(result).toMatchObject({ ok: true, ip: '10.245.1.2', plugin: 'cilium-cni' });
  });
});

describe('a conf that would be better is not there', () => {
  it('the failure names what removed it', () => {
    const node = testNode();
    const { kernel, files } = node;
    write(node, CILIUM_FILE, CILIUM_CONF);
    write(node, FLANNEL_FILE, FLANNEL_CONF);
    const cleaned = kernel.occur('client.file-removed', { message: 'cleaned up' });
    kernel.because([cleaned], () => files.remove(CILIUM_FILE));
    node.advance(100);
    const result = node.run('a');
    expect(result.ok).toBe(false);
    expect(kindsBehind(node, result.ok ? [] : result.because)).toContain('client.file-removed');
  });
});

describe('what is recorded', () => {
  it('a change of the network, a load that fails and an empty directory, once each', () => {
    const node = testNode();
    write(node, FLANNEL_FILE, FLANNEL_CONF);
    write(node, CILIUM_FILE, CILIUM_CONF);
    write(node, `${CONF}/unrelated`, 'x');
    write(node, CILIUM_FILE, '{');
    node.files.remove(CILIUM_FILE);
    node.files.remove(FLANNEL_FILE);
    node.advance(100);
    const kinds = node.kernel.occurrences
      .map(({ kind }) => kind)
      .filter((kind) => kind.startsWith('cni.'));
    expect(kinds).toEqual([
      'cni.network-loaded',
      'cni.network-loaded',
      'cni.load-failed',
      'cni.no-conf',
    ]);
  });

  it('a lease that nobody gives back', () => {
    const node = testNode();
    write(node, `${CONF}/10-net1.conflist`, bridgeConf(1));
    const made = node.run('a');
    write(node, `${CONF}/05-net2.conflist`, bridgeConf(2));
    if (!made.ok) throw new Error(made.message);
    expect(node.stop(made.id)).toEqual({ ok: true });
    expect(node.files.list('/var/lib/cni/networks/net1')).toContain('10.21.0.2');
    const leaked = node.kernel.occurrences.filter(({ kind }) => kind === 'host-local.lease-leaked');
    expect(leaked.map(({ message }) => message)).toEqual([
      expect.stringContaining('10.21.0.2 stays reserved'),
    ]);
  });
});

describe('a full subnet', () => {
  it('says so in host-local’s words and is traced to the leaks', () => {
    const node = testNode();
    const conf = bridgeConf(1).replace('/24', '/30');
    write(node, `${CONF}/10-net1.conflist`, conf);
    const made = node.run('a');
    write(node, `${CONF}/05-net2.conflist`, bridgeConf(2));
    if (made.ok) node.stop(made.id);
    node.files.remove(`${CONF}/05-net2.conflist`);
    node.advance(100);
    const result = node.run('b');
    expect(failureOf(result)).toContain(
      'failed to allocate for range 0: no IP addresses available in range set: 10.21.0.1-10.21.0.2',
    );
    expect(kindsBehind(node, result.ok ? [] : result.because)).toContain('host-local.lease-leaked');
  });
});

describe('another version', () => {
  it('begins with the next start of the runtime', () => {
    const node = testNode({ version: '1.7.27' });
    expect(node.runtime.traits.holdsLock).toBe(false);
    node.runtime.install('2.0.5');
    expect(node.runtime.version).toBe('1.7.27');
    node.runtime.restart();
    expect(node.runtime.version).toBe('2.0.5');
    expect(node.runtime.traits.holdsLock).toBe(true);
  });
});

describe('a missing, unfit or foreign binary', () => {
  it.each([
    ['absent', undefined, 0, 'failed to find plugin "bridge" in path [/opt/cni/bin]'],
    ['not executable', 'bridge 1.6.2', 0o644, 'permission denied'],
    ['garbage', 'no program', 0o755, 'exec format error'],
    ['a script that fails', '#!/bin/sh\necho boom >&2\nexit 3\n', 0o755, 'boom'],
  ])('%s', (_, content, mode, text) => {
    const node = testNode();
    if (content === undefined) node.files.remove(`${BIN}/bridge`);
    else node.files.write(`${BIN}/bridge`, content, { mode });
    write(node, `${CONF}/10-net1.conflist`, bridgeConf(1));
    expect(node.runtime.networkStatus().ready).toBe(true);
    expect(failureOf(node.run('a'))).toContain(text);
  });
});

describe('a bridge that a failed ADD left behind', () => {
  it('has no MAC address while nothing is plugged in, and the next ADD fails for it, once', () => {
    const node = testNode();
    node.files.chmod(`${BIN}/host-local`, 0o644);
    write(node, `${CONF}/10-net1.conflist`, bridgeConf(1));
    expect(failureOf(node.run('a'))).toContain('permission denied');
    node.files.chmod(`${BIN}/host-local`, 0o755);
    expect(failureOf(node.run('b'))).toContain(
      "failed to set bridge addr: could not set bridge's mac: invalid argument",
    );
    expect(node.run('c').ok).toBe(true);
  });

  it('is as good as new after a reboot', () => {
    const node = testNode();
    node.files.chmod(`${BIN}/host-local`, 0o644);
    write(node, `${CONF}/10-net1.conflist`, bridgeConf(1));
    node.run('a');
    node.reboot();
    node.files.chmod(`${BIN}/host-local`, 0o755);
    expect(node.run('b').ok).toBe(true);
  });
});

describe('CRI-O', () => {
  it('refuses a network whose plugin is missing and takes the next', () => {
    const node = testNode({ kind: 'cri-o', version: '1.33.0' });
    node.files.remove(`${BIN}/flannel`);
    write(node, `${CONF}/05-flannel.conflist`, FLANNEL_CONF);
    write(node, `${CONF}/10-net1.conflist`, bridgeConf(1));
    node.advance(1_000);
    expect(node.run('a')).toMatchObject({ ok: true, ip: '10.21.0.2' });
  });

  it('tears down with the network the pod was made with', () => {
    const node = testNode({ kind: 'cri-o', version: '1.33.0' });
    write(node, `${CONF}/10-net1.conflist`, bridgeConf(1));
    node.advance(1_000);
    const made = node.run('a');
    write(node, `${CONF}/05-net2.conflist`, bridgeConf(2));
    if (!made.ok) throw new Error(made.message);
    expect(node.stop(made.id)).toEqual({ ok: true });
    expect(node.files.list('/var/lib/cni/networks/net1')).not.toContain('10.21.0.2');
  });
});
