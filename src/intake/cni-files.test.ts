/** CNI confs and listings of their directory, in every form people save them in. */
import { describe, expect, it } from 'vitest';
import { failureOf, read } from './testing.ts';

describe('CNI confs and listings', () => {
  it('takes confs by name, broken or not, and by content', () => {
    const input = read({
      'snap/talos-cp-01/etc/cni/net.d/05-cilium.conflist': '{"cniVersion": "0.3.1", "plugins": [',
      '10-flannel.conflist.cilium_bak': '{}',
      'net.json': '{"cniVersion": "1.0.0", "name": "cbr0", "plugins": [{"type": "flannel"}]}',
    });
    expect(
      input.cniConfs.map(({ name, directory, node }) => [
        name,
        directory.known && directory.value,
        node.known && node.value,
      ]),
    ).toEqual([
      ['05-cilium.conflist', '/etc/cni/net.d', 'talos-cp-01'],
      ['10-flannel.conflist.cilium_bak', false, false],
      ['net.json', false, false],
    ]);
  });

  it.each(['resolv.conf', 'sysctl.conf'])('does not take %s for a conf', (name) => {
    expect(failureOf(() => read({ [name]: 'nameserver 10.0.0.1\n' })).message).toContain(
      'nothing here is recognised',
    );
  });

  it('drops a node guessed from a path that no Node object has', () => {
    const node = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'cp-1' } });
    const confs = read({
      'nodes.json': node,
      'x/etc/cni/net.d/a.conf': '{}',
      'cp-1/etc/cni/net.d/a.conf': '{}',
    }).cniConfs;
    expect(confs.map((conf) => conf.node.known)).toEqual([false, true]);
  });

  it('reads ls -la under a prompt, with modes, links and the directory on the host', () => {
    const text =
      '$ kubectl exec -n kube-system daemonset/cilium -- ls -la /host/etc/cni/net.d/\ntotal 16\ndrwxr-xr-x 2 root root 4096 Jan 13 15:24 .\ndrwxr-xr-x 3 root root 4096 2026-01-13 15:24:11.123 +0000 ..\n-rw------- 1 root root  120 Jan 13 15:24 05-cilium.conflist\nlrwxrwxrwx 1 root root   10 Jan 13 15:24 a.conf -> b.conf\n';
    expect(read({ 'ls.txt': text }).listings).toMatchObject([
      {
        directory: '/etc/cni/net.d',
        entries: [
          { name: '05-cilium.conflist', type: 'file', mode: 0o600 },
          { name: 'a.conf', type: 'symlink', mode: 0o777, target: 'b.conf' },
        ],
      },
    ]);
  });

  it("reads the post-mortem's bare names under a comment", () => {
    const text =
      '# What kubelet sees in /etc/cni/net.d/\n05-cilium.conflist\n10-flannel.conflist\n';
    expect(read({ listing: text }).listings).toMatchObject([
      {
        directory: '/etc/cni/net.d',
        entries: [{ name: '05-cilium.conflist' }, { name: '10-flannel.conflist' }],
      },
    ]);
  });

  it('reads talosctl ls -l of several nodes', () => {
    const text =
      'NODE        MODE         UID   GID   SIZE(B)   LASTMOD           NAME\n10.0.1.61   drwx------   0     0     60        Jan 13 15:24:11   .\n10.0.1.61   -rw-r--r--   0     0     292       Jan 13 15:24:11   10-flannel.conflist\n10.0.1.62   -rw-------   0     0     292       Jan 13 15:24:11   05-cilium.conflist\n';
    const listings = read({ 'cni-net.d.txt': text }).listings;
    expect(listings.map(({ node, entries }) => [node.known && node.value, entries])).toEqual([
      ['10.0.1.61', [{ name: '10-flannel.conflist', type: 'file', mode: 0o644 }]],
      ['10.0.1.62', [{ name: '05-cilium.conflist', type: 'file', mode: 0o600 }]],
    ]);
  });

  it('reads ls -R of several directories', () => {
    const text = '/etc/cni/net.d:\n10-flannel.conflist\n\n/opt/cni/bin:\nbridge\nflannel\n';
    expect(
      read({ out: text }).listings.map(({ directory, entries }) => [directory, entries.length]),
    ).toEqual([
      ['/etc/cni/net.d', 1],
      ['/opt/cni/bin', 2],
    ]);
  });
});
