/** `explain-node` as a user runs it, on files in a directory of its own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import type { ExplainNodeFlags } from '../flags.ts';
import { explainFiles, run } from './explain-node.ts';

let root = '';
let listing = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'regauge-explain-node-'));
  listing = join(root, 'ls.txt');
  writeFileSync(
    listing,
    [
      '$ talosctl -n 10.0.0.11 ls -l /etc/cni/net.d',
      'NODE        MODE         UID   GID   SIZE(B)   LASTMOD           NAME',
      '10.0.0.11   drwxr-xr-x   0     0     65        Jan  1 00:00:00   .',
      '10.0.0.11   -rw-------   0     0     207       Jan  1 00:00:00   05-cilium.conflist',
      '10.0.0.11   -rw-r--r--   0     0     292       Jan  1 00:00:00   10-flannel.conflist',
      '',
    ].join('\n'),
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function text(flags: ExplainNodeFlags, ...paths: string[]): Promise<string> {
  const written: string[] = [];
  const process: CliContext['process'] = {
    stdout: { write: (chunk) => void written.push(chunk) },
    stderr: { write: () => undefined },
    stdin: nothing(),
    env: {},
  };
  await run.call({ process }, flags, ...paths);
  return written.join('');
}

describe('explain-node', () => {
  it('answers for now and after a reboot, and says what was believed', async () => {
    const out = await text({ output: 'text', talosVersion: '1.10.2' }, listing);
    expect(out).toContain('05-cilium.conflist');
    expect(out).toContain('10-flannel.conflist');
    expect(out).toMatch(/reboot/i);
  });

  it('gives the document as JSON', async () => {
    const out = await text({ output: 'json', talosVersion: '1.10.2' }, listing);
    expect(JSON.parse(out)).toMatchObject({
      kind: 'NodeExplanation',
      runtime: 'containerd 2.0.5',
      distribution: 'talos 1.10.2',
      now: { network: 'cilium', file: '05-cilium.conflist' },
    });
  });

  it('takes the runtime that is named', async () => {
    const { runtime } = await explainFiles({ runtime: 'cri-o://1.33.0', talosVersion: '1.10.2' }, [
      listing,
    ]);
    expect(runtime).toBe('cri-o 1.33.0');
  });

  it('refuses to guess without files', async () => {
    await expect(explainFiles({}, [])).rejects.toMatchObject({ code: 'usage' });
  });

  it('says which node it does not know', async () => {
    const flags = { node: 'nowhere', talosVersion: '1.10.2' };
    await expect(explainFiles(flags, [listing])).rejects.toThrow(/nowhere/);
  });

  it.each([
    [{}, 'kubeadm'],
    [{ distribution: 'kubeadm' }, 'kubeadm'],
    [{ distribution: 'k3s' }, 'k3s'],
    [{ distribution: 'rke2' }, 'rke2'],
    [{ distribution: 'talos' }, 'talos 1.10.0'],
    [{ talosVersion: '1.7.5' }, 'talos 1.7.5'],
    [{ talosVersion: '1.14.0-rc.1' }, 'talos 1.14.0-rc.1'],
    [{ runtime: 'cri-o://1.33.0' }, 'kubeadm'],
    [{ runtime: 'containerd://1.7.27-k3s1', distribution: 'k3s' }, 'k3s'],
  ] as const)('answers for %j, whatever version is missing', async (flags, distribution) => {
    const document = await explainFiles(flags, [listing]);
    expect(document).toMatchObject({ distribution, now: { file: '05-cilium.conflist' } });
    expect(document.afterReboot.ready).toBe(distribution !== 'talos 1.14.0-rc.1');
    const shown = await text({ output: 'text', ...flags }, listing);
    expect(shown).toContain(` · ${distribution} · /etc/cni/net.d`);
    expect(shown).not.toMatch(/ \.( |$)/m);
  });

  it('knows K3s by its own directory', async () => {
    const path = join(root, 'k3s.txt');
    writeFileSync(
      path,
      '/var/lib/rancher/k3s/agent/etc/cni/net.d:\n-rw-r--r-- 1 root root 292 Jan  1 00:00 10-flannel.conflist\n',
    );
    const document = await explainFiles({}, [path]);
    expect(document).toMatchObject({
      distribution: 'k3s',
      confDirectory: '/var/lib/rancher/k3s/agent/etc/cni/net.d',
      now: { network: 'cbr0' },
    });
  });

  it('says once what fails whether or not the agent answers', async () => {
    const path = join(root, 'bin.txt');
    writeFileSync(path, '/opt/cni/bin:\n-rwxr-xr-x 1 root root 9 Jan  1 00:00 loopback\n');
    const { now } = await explainFiles({ talosVersion: '1.10.2' }, [listing, path]);
    expect(now.pods).toEqual([
      {
        when: null,
        ok: false,
        error: expect.stringContaining('failed to find plugin "cilium-cni"'),
      },
    ]);
  });

  it('refuses a Talos version of another distribution', async () => {
    await expect(
      explainFiles({ distribution: 'k3s', talosVersion: '1.10.2' }, [listing]),
    ).rejects.toMatchObject({ code: 'usage' });
  });
});
