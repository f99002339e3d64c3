/** What any node's files do: events for those who watch, causes, and systemd distributions. */
import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { K3S_FLANNEL_PATHS, cniPathsOf } from './cni-paths.ts';
import type { DirectoryEvent } from './directory-watch.ts';
import { NodeFileSystem } from './node-file-system.ts';
import { pluginBinary, readPluginBinary } from './plugin-binary.ts';

const DIR = '/etc/cni/net.d';

interface Watched {
  readonly kernel: Kernel;
  readonly files: NodeFileSystem;
  readonly events: string[];
}

function machine(distribution: 'kubeadm' | 'k3s' | 'rke2' = 'kubeadm'): Watched {
  const kernel = new Kernel(1);
  const files = new NodeFileSystem({ kernel, node: 'n1', distribution, version: '1.33' });
  files.mkdir(DIR);
  const events: string[] = [];
  files.watchEvents(DIR, ({ kind, name }: DirectoryEvent) => events.push(`${kind} ${name}`));
  return { kernel, files, events };
}

describe('directory events, in inotify terms', () => {
  it('a new file is created, then written', () => {
    const { files, events } = machine();
    files.write(`${DIR}/a.conf`, '{}');
    expect(events).toEqual(['CREATE a.conf', 'WRITE a.conf']);
  });

  it('a new empty file is only created', () => {
    const { files, events } = machine();
    files.write(`${DIR}/a.conf`, '');
    expect(events).toEqual(['CREATE a.conf']);
  });

  it('an overwritten file is only written', () => {
    const { files, events } = machine();
    files.write(`${DIR}/a.conf`, '1');
    events.length = 0;
    files.write(`${DIR}/a.conf`, '2');
    expect(events).toEqual(['WRITE a.conf']);
  });

  it('a rename inside tells the old name and creates the new one', () => {
    const { files, events } = machine();
    files.write(`${DIR}/a.conf`, '1');
    events.length = 0;
    files.rename(`${DIR}/a.conf`, `${DIR}/b.conf`);
    expect(events).toEqual(['RENAME a.conf', 'CREATE b.conf']);
    expect(files.read(`${DIR}/b.conf`)).toBe('1');
  });

  it('a file moved in is only created, one moved out only renamed', () => {
    const { files, events } = machine();
    files.write('/etc/cni/staging/x', '1');
    files.rename('/etc/cni/staging/x', `${DIR}/in.conf`);
    expect(events).toEqual(['CREATE in.conf']);
    events.length = 0;
    files.rename(`${DIR}/in.conf`, '/etc/cni/staging/out');
    expect(events).toEqual(['RENAME in.conf']);
  });

  it('chmod and touch change attributes, remove removes', () => {
    const { files, events } = machine();
    files.write(`${DIR}/a.conf`, '1');
    events.length = 0;
    files.chmod(`${DIR}/a.conf`, 0o600);
    files.touch(`${DIR}/a.conf`);
    files.remove(`${DIR}/a.conf`);
    expect(events).toEqual(['CHMOD a.conf', 'CHMOD a.conf', 'REMOVE a.conf']);
  });

  it('a symlink or a hard link is only created; an edit behind a symlink is not seen', () => {
    const { files, events } = machine();
    files.write('/etc/cni/elsewhere', '1');
    files.symlink(`${DIR}/soft.conf`, '/etc/cni/elsewhere');
    files.link('/etc/cni/elsewhere', `${DIR}/hard.conf`);
    files.write('/etc/cni/elsewhere', '2');
    expect(events).toEqual(['CREATE soft.conf', 'CREATE hard.conf']);
    expect([files.read(`${DIR}/soft.conf`), files.read(`${DIR}/hard.conf`)]).toEqual(['2', '2']);
  });

  it('a watch ends with its directory and does not come back with a new one', () => {
    const { files, events } = machine();
    files.remove(DIR);
    expect(events).toEqual(['REMOVE ']);
    files.write(`${DIR}/a.conf`, '1');
    expect(events).toEqual(['REMOVE ']);
  });

  it('a watch on a directory that is not there is refused', () => {
    const { files } = machine();
    expect(files.watchEvents('/nowhere', () => undefined)).toBeUndefined();
  });

  it('a watched symlink to a directory watches the directory it led to', () => {
    const { files } = machine();
    const events: string[] = [];
    files.symlink('/etc/cni/link', DIR);
    files.watchEvents('/etc/cni/link', ({ name }) => events.push(name));
    files.mkdir('/etc/cni/other');
    files.remove('/etc/cni/link');
    files.symlink('/etc/cni/link', '/etc/cni/other');
    files.write('/etc/cni/other/new.conf', '1');
    expect(events).toEqual([]);
    files.write(`${DIR}/old.conf`, '1');
    expect(events).toEqual(['old.conf', 'old.conf']);
  });
});

describe('a process that watches', () => {
  it('hears of changes a little later, of chmod never, and of nothing once it ended', () => {
    const { kernel, files } = machine();
    const heard: string[] = [];
    const end = files.watch(DIR, (name) => heard.push(name));
    files.write(`${DIR}/a.conf`, '');
    files.chmod(`${DIR}/a.conf`, 0o600);
    expect(heard).toEqual([]);
    kernel.runUntil(100);
    expect(heard).toEqual(['a.conf']);
    files.remove(`${DIR}/a.conf`);
    end();
    kernel.runUntil(200);
    expect(heard).toEqual(['a.conf']);
  });
});

describe('causes', () => {
  it('a file remembers who wrote it, an absent one who removed it', () => {
    const { kernel, files } = machine();
    const written = kernel.occur('client.file-written', { message: 'written' });
    const removed = kernel.occur('client.file-removed', { message: 'removed' });
    kernel.because([written], () => files.write(`${DIR}/a.conf`, '1'));
    expect(files.causesOf(`${DIR}/a.conf`)).toEqual([written]);
    kernel.because([removed], () => files.remove(`${DIR}/a.conf`));
    expect(files.causesOf(`${DIR}/a.conf`)).toEqual([removed]);
    expect(files.absencesIn(DIR, (name) => name.endsWith('.conf'))).toEqual([removed]);
  });

  it('nobody is blamed for what was never there', () => {
    const { files } = machine();
    expect(files.causesOf('/run/flannel/subnet.env')).toEqual([]);
  });

  it('what a reboot emptied is remembered as one loss that names its files', () => {
    const { kernel, files } = machine();
    const boot = kernel.occur('machine.reboot-started', { message: 'reboot' });
    files.write('/run/flannel/subnet.env', 'x');
    kernel.because([boot], () => files.lose('reboot'));
    const [loss] = files.causesOf('/run/flannel/subnet.env');
    const occurrence = kernel.occurrences.find(({ id }) => id === loss);
    expect(occurrence?.kind).toBe('node.files-lost');
    expect(occurrence?.message).toContain('/run/flannel/subnet.env');
    expect(occurrence?.because).toEqual([boot]);
  });

  it('a renamed file keeps why it was written and adds why it moved', () => {
    const { kernel, files } = machine();
    const written = kernel.occur('client.file-written', { message: 'written' });
    const moved = kernel.occur('client.file-renamed', { message: 'moved' });
    kernel.because([written], () => files.write(`${DIR}/a.conf`, '1'));
    kernel.because([moved], () => files.rename(`${DIR}/a.conf`, `${DIR}/a.bak`));
    expect(files.causesOf(`${DIR}/a.bak`)).toEqual([written, moved]);
    expect(files.causesOf(`${DIR}/a.conf`)).toEqual([moved]);
  });
});

describe('K3s, RKE2 and kubeadm on systemd', () => {
  it.each(['k3s', 'rke2', 'kubeadm'] as const)('%s: all but /run is on a disk', (distribution) => {
    const { files } = machine(distribution);
    files.write(`${DIR}/10-flannel.conflist`, '{}');
    files.write('/opt/cni/bin/flannel', 'flannel 1.6.2');
    files.write('/run/flannel/subnet.env', 'x');
    files.lose('reboot');
    expect(files.exists(`${DIR}/10-flannel.conflist`)).toBe(true);
    expect(files.exists('/opt/cni/bin/flannel')).toBe(true);
    expect(files.exists('/run/flannel/subnet.env')).toBe(false);
    files.lose('upgrade');
    files.lose('ephemeral-wipe');
    expect(files.exists(`${DIR}/10-flannel.conflist`)).toBe(true);
  });

  it('bpffs is mounted, and empty after a reboot', () => {
    const { files } = machine();
    files.write('/sys/fs/bpf/tc/x', 'pin');
    expect(files.read('/sys/fs/bpf/tc/x')).toBe('pin');
    files.lose('reboot');
    expect(files.exists('/sys/fs/bpf/tc/x')).toBe(false);
    expect(files.isDirectory('/sys/fs/bpf')).toBe(true);
  });

  it('K3s with its own Flannel looks in its own directories', () => {
    expect(cniPathsOf('k3s', true)).toBe(K3S_FLANNEL_PATHS);
    expect(cniPathsOf('k3s', false).confDirectory).toBe(DIR);
    expect(cniPathsOf('rke2', true).confDirectory).toBe(DIR);
  });
});

describe('what a file is when it is executed', () => {
  it.each([
    [
      'portmap',
      pluginBinary('portmap', '1.6.2'),
      { kind: 'program', name: 'portmap', version: '1.6.2' },
    ],
    [
      'cilium-cni',
      'cilium-cni v1.16.5',
      { kind: 'program', name: 'cilium-cni', version: '1.16.5' },
    ],
    ['portmap', pluginBinary('bridge'), { kind: 'program', name: 'bridge', version: '' }],
    ['portmap', 'not a program', { kind: 'garbage' }],
    ['portmap', '', { kind: 'garbage' }],
    ['x', '#!/bin/sh\nexit 1\n', { kind: 'script', text: '#!/bin/sh\nexit 1\n' }],
  ])('%s holding %j', (name, content, expected) => {
    expect(readPluginBinary(name, content)).toEqual(expected);
  });

  it('a program is written executable, a script as any other file', () => {
    const { files } = machine();
    files.write('/opt/cni/bin/portmap', pluginBinary('portmap'));
    files.write('/opt/cni/bin/x', '#!/bin/sh\n');
    expect([files.modeOf('/opt/cni/bin/portmap'), files.modeOf('/opt/cni/bin/x')]).toEqual([
      0o755, 0o644,
    ]);
  });
});
