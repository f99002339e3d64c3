/**
 * Several networks at once, and results of old versions: what the real lane (test/real/) showed
 * containerd 1.6.20 and 2.0.5 to do, beyond the measured cases.
 */
import { describe, expect, it } from 'vitest';
import type { SandboxResult } from '../world.ts';
import { BIN, CONF, type TestNode, bridgeConf, conflist, testNode } from './testing.ts';

const VERSIONS = ['1.6.20', '2.0.5'];
const FAILS = '#!/bin/sh\nexit 1\n';

function nodeWith(version: string, confs: readonly string[], maxConfNum = 1): TestNode {
  const node = testNode({ version, maxConfNum });
  for (const [index, text] of confs.entries()) {
    node.files.write(`${CONF}/1${index}-net.conflist`, text);
  }
  node.advance(100);
  return node;
}

function failureOf(result: SandboxResult): string {
  if (result.ok) throw new Error('the pod was made');
  return result.message;
}

describe.each(VERSIONS)('containerd %s, networks that fail together', (version) => {
  it('tells the last of those whose plugins are missing', () => {
    const node = nodeWith(version, [bridgeConf(1), bridgeConf(2)], 0);
    for (const name of ['loopback', 'bridge']) node.files.remove(`${BIN}/${name}`);
    expect(failureOf(node.run('a'))).toContain('type="bridge"');
  });

  it.each([
    ['loopback', 'bridge'],
    ['bridge', 'loopback'],
  ])('tells a missing %s rather than a failing %s', (missing, failing) => {
    const node = nodeWith(version, [bridgeConf(1)]);
    node.files.remove(`${BIN}/${missing}`);
    node.files.write(`${BIN}/${failing}`, FAILS, { mode: 0o755 });
    expect(failureOf(node.run('a'))).toContain(`failed to find plugin "${missing}"`);
  });
});

describe.each(VERSIONS)('containerd %s, a conf of type loopback', (version) => {
  it('without cniVersion gives the pod 127.0.0.1', () => {
    const node = nodeWith(version, [conflist('lo', [{ type: 'loopback' }], '')]);
    expect(node.run('a')).toMatchObject({ ok: true, ip: '127.0.0.1' });
  });

  it.each(['0.1.0', '0.2.0', '0.3.1', '1.0.0'])('of cniVersion %s gives none', (cniVersion) => {
    const node = nodeWith(version, [conflist('lo', [{ type: 'loopback' }], cniVersion)]);
    expect(failureOf(node.run('a'))).toContain('failed to find network info for sandbox');
  });
});

describe('STATUS of a plugin from before libcni 1.2', () => {
  it('misses a container, which Status tells', () => {
    const node = testNode({ flannelPlugin: '0.9.1' });
    node.files.write(`${CONF}/10-x.conflist`, conflist('cbr0', [{ type: 'flannel' }], '1.1.0'));
    node.advance(100);
    let message = '';
    node.runtime.status((status) => (message = status.message));
    node.advance(100);
    expect(message).toBe('Network plugin returns error: missing containerID');
  });
});
