/**
 * What a NodeHost port must do, as tests over any target: the twin in memory, the twin over the wire
 * through the real adapter, real machines. A target says what it can; what all must do is not optional.
 */
import { describe, expect, it } from 'vitest';
import type { NodeHostPort } from '../../../src/ports/node-host.ts';

export interface NodeHostTarget {
  readonly port: NodeHostPort;
  readonly controlPlane: string;
  readonly worker: string;
  /** The version that `upgrade` is to bring, and its image. */
  readonly next: { readonly version: string; readonly image: string };
  /** Runs a call of the port to its end. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Waits until the machine, which was told to, has gone down and come back. */
  untilBooted(node: string): Promise<void>;
  /** Waits until a machine that was told to reboot is down. */
  untilDown(node: string): Promise<void>;
  /** Permission bits of a file. */
  modeOf(node: string, path: string): number | undefined;
  /** The pods of namespace `a`; with `settled`, once all of them run. */
  pods(settled?: boolean): readonly {
    readonly name: string;
    readonly uid: string;
    readonly node: string;
    readonly sandbox: string | undefined;
  }[];
  /** Whether Services are translated on the node by what a kube-proxy wrote. */
  hasKubeProxyRules(node: string): boolean;
  /** Takes the kube-proxy away, and waits until its pods are gone. */
  removeKubeProxy(): void;
  /** `bootID` and `osImage` of the Node object. */
  systemOf(node: string): { readonly bootId: string; readonly image: string };
  close(): Promise<void>;
}

export interface TargetKind {
  readonly name: string;
  make(talosVersion: string): Promise<NodeHostTarget>;
}

const CONF = '/etc/cni/net.d';
const CNI_NONE = 'cluster:\n  network:\n    cni:\n      name: none\n';

/** One target for one test: what a test does to machines is nobody else's. */
export function describeNodeHost({ name, make }: TargetKind): void {
  const withTarget = async (
    version: string,
    work: (target: NodeHostTarget) => Promise<void>,
  ): Promise<void> => {
    const target = await make(version);
    try {
      await work(target);
    } finally {
      await target.close();
    }
  };

  describe(`node host: ${name}`, () => {
    describeFiles(withTarget);
    describeConfigs(withTarget);
    describeMachines(withTarget);
  });
}

type WithTarget = (
  version: string,
  work: (target: NodeHostTarget) => Promise<void>,
) => Promise<void>;

const VERSION = '1.10.2';

function describeFiles(withTarget: WithTarget): void {
  it('lists base names, and tells an empty directory from none', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      expect(await run(() => port.list(worker, CONF))).toEqual(['10-flannel.conflist']);
      expect(await run(() => port.list(worker, '/etc/none'))).toBeUndefined();
      const plugins = await run(() => port.list(worker, '/opt/cni/bin'));
      expect([...(plugins ?? [])].toSorted()).toContain('flannel');
    }));

  it('reads a file whole, and tells an empty file from none', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      const conf = await run(() => port.read(worker, `${CONF}/10-flannel.conflist`));
      expect(conf).toContain('"cbr0"');
      expect(await run(() => port.read(worker, `${CONF}/none.conf`))).toBeUndefined();
      await run(() => port.write(worker, `${CONF}/empty.conf`, ''));
      expect(await run(() => port.read(worker, `${CONF}/empty.conf`))).toBe('');
    }));

  it('writes, renames and removes, as its own listing shows', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      const text = `{"name":"ü ${'x'.repeat(70_000)}"}`;
      await run(() => port.write(worker, `${CONF}/05-a.conf`, text));
      expect(await run(() => port.read(worker, `${CONF}/05-a.conf`))).toBe(text);
      await run(() => port.rename(worker, `${CONF}/05-a.conf`, `${CONF}/b.disabled`));
      await run(() => port.remove(worker, `${CONF}/10-flannel.conflist`));
      expect(await run(() => port.list(worker, CONF))).toEqual(['b.disabled']);
      expect(await run(() => port.read(worker, `${CONF}/05-a.conf`))).toBeUndefined();
    }));

  it('removes a directory with what is in it, and nothing where there is nothing', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      await run(() => port.write(worker, '/etc/cni/multus/net.d/a.conf', 'a'));
      await run(() => port.remove(worker, '/etc/cni/multus'));
      expect(await run(() => port.list(worker, '/etc/cni/multus'))).toBeUndefined();
      await run(() => port.remove(worker, '/etc/cni/multus'));
    }));

  it('removes many files at once as one by one, where it can', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      const paths = Array.from({ length: 150 }, (_, index) => `/etc/cni/many/10.244.0.${index}`);
      await run(() => port.write(worker, paths[0] ?? '', 'a'));
      await run(() => port.write(worker, paths[149] ?? '', 'a'));
      await run(() => port.write(worker, '/etc/cni/many/lock', ''));
      const all = port.removeAll;
      if (all === undefined) for (const path of paths) await run(() => port.remove(worker, path));
      else await run(() => all(worker, paths));
      expect(await run(() => port.list(worker, '/etc/cni/many'))).toEqual(['lock']);
    }));

  it('finds a rename done that was done before, and no file where there never was one', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      const [from, to] = [`${CONF}/10-flannel.conflist`, `${CONF}/10-flannel.conflist.off`];
      await run(() => port.rename(worker, from, to));
      await run(() => port.rename(worker, from, to));
      expect(await run(() => port.list(worker, CONF))).toEqual(['10-flannel.conflist.off']);
      const renamed = run(() => port.rename(worker, from, `${CONF}/other`));
      await expect(renamed).rejects.toMatchObject({ code: 'not-found' });
    }));

  it('replaces a file as it was and with the rights that it had', () =>
    withTarget(VERSION, async ({ port, run, worker, modeOf }) => {
      const path = `${CONF}/calico-kubeconfig`;
      await run(() => port.write(worker, path, 'old', 0o600));
      await run(() => port.write(worker, path, 'new'));
      expect(await run(() => port.read(worker, path))).toBe('new');
      expect(modeOf(worker, path)).toBe(0o600);
      expect(await run(() => port.list(worker, CONF))).toHaveLength(2);
    }));

  it('gives a pod a new sandbox in its place', () =>
    withTarget(VERSION, async ({ port, run, pods }) => {
      const [pod] = pods();
      if (pod === undefined) throw new Error('no pod runs');
      await run(() => port.restartSandbox(pod.node, 'a', pod.name));
      const again = pods(true).find(({ name }) => name === pod.name);
      expect(again).toMatchObject({ node: pod.node, uid: pod.uid });
      expect(again?.sandbox).toBeDefined();
      expect(again?.sandbox).not.toBe(pod.sandbox);
      const asked = run(() => port.restartSandbox(pod.node, 'a', 'none'));
      await expect(asked).rejects.toMatchObject({ code: 'not-found' });
    }));

  it('cleans up after a kube-proxy that is gone', () =>
    withTarget(VERSION, async ({ port, run, worker, hasKubeProxyRules, removeKubeProxy }) => {
      removeKubeProxy();
      expect(hasKubeProxyRules(worker)).toBe(true);
      await run(() => port.cleanKubeProxyRules(worker));
      expect(hasKubeProxyRules(worker)).toBe(false);
    }));

  it('names the links, and a link that was removed no more', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      expect(await run(() => port.links(worker))).toContain('flannel.1');
      await run(() => port.removeLink(worker, 'flannel.1'));
      expect(await run(() => port.links(worker))).not.toContain('flannel.1');
    }));

  it('does not know a node that is not there', () =>
    withTarget(VERSION, async ({ port, run }) => {
      const asked = run(() => port.read('nobody', '/etc/hosts'));
      await expect(asked).rejects.toMatchObject({ code: 'not-found' });
    }));
}

function describeConfigs(withTarget: WithTarget): void {
  it('patches the machine config live, and keeps its other documents', () =>
    withTarget('1.13.9', async ({ port, run, worker }) => {
      const volume = 'apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: data\n';
      await run(() => port.patchMachineConfig(worker, volume, 'auto'));
      await run(() => port.patchMachineConfig(worker, CNI_NONE, 'no-reboot'));
      const config = await run(() => port.machineConfig(worker));
      expect(config).toMatch(/cni:\s+name: none/);
      expect(config).toContain('kind: UserVolumeConfig');
    }));

  it('refuses a key that Talos does not know, in Talos’s words, and changes nothing', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      const before = await run(() => port.machineConfig(worker));
      const patch = 'cluster:\n  network:\n    forwardKubeDNSToHost: false\n';
      const patched = run(() => port.patchMachineConfig(worker, patch, 'auto'));
      await expect(patched).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('unknown keys found during decoding'),
      });
      expect(await run(() => port.machineConfig(worker))).toBe(before);
    }));

  it('refuses without a reboot what needs one', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      const patch = 'machine:\n  env:\n    http_proxy: http://proxy\n';
      const patched = run(() => port.patchMachineConfig(worker, patch, 'no-reboot'));
      await expect(patched).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining("can't be applied in immediate mode"),
      });
    }));

  it('keeps what is staged for the next boot, one patch upon the other', () =>
    withTarget(VERSION, async ({ port, run, worker, untilBooted }) => {
      const sysctl = 'machine:\n  sysctls:\n    net.core.somaxconn: "65535"\n';
      await run(() => port.patchMachineConfig(worker, CNI_NONE, 'staged'));
      await run(() => port.patchMachineConfig(worker, sysctl, 'staged'));
      expect(await run(() => port.machineConfig(worker))).not.toContain('somaxconn');
      await run(() => port.reboot(worker));
      await untilBooted(worker);
      const config = await run(() => port.machineConfig(worker));
      expect(config).toContain('somaxconn');
      expect(config).toMatch(/cni:\s+name: none/);
    }));
}

function describeMachines(withTarget: WithTarget): void {
  it('reboots: nobody answers meanwhile, and memory is empty afterwards', () =>
    withTarget(VERSION, async (target) => {
      const { port, run, worker, untilDown, untilBooted, systemOf } = target;
      const before = systemOf(worker).bootId;
      await run(() => port.write(worker, '/run/mark', 'here'));
      await run(() => port.reboot(worker));
      await untilDown(worker);
      const asked = run(() => port.read(worker, '/run/mark'));
      await expect(asked).rejects.toMatchObject({ code: 'unreachable' });
      await untilBooted(worker);
      expect(systemOf(worker).bootId).not.toBe(before);
      expect(await run(() => port.read(worker, '/run/mark'))).toBeUndefined();
    }));

  it.each(['1.10.2', '1.13.1'])('upgrades from %s on the path that version has', (version) =>
    withTarget(version, async ({ port, run, worker, next, untilBooted, systemOf }) => {
      await run(() => port.upgrade(worker, next.image, { preserve: true }));
      await untilBooted(worker);
      expect(systemOf(worker).image).toBe(`Talos (v${next.version})`);
    }),
  );

  it('restarts the kubelet, and what Talos does not restart is refused in its words', () =>
    withTarget(VERSION, async ({ port, run, worker }) => {
      await run(() => port.restartService(worker, 'kubelet'));
      const restarted = run(() => port.restartService(worker, 'cri'));
      await expect(restarted).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining(`service "cri" doesn't support restart operation via API`),
      });
    }));

  it('tells the members of etcd, their one leader, and who is down', () =>
    withTarget(VERSION, async ({ port, run, controlPlane, untilDown }) => {
      const before = await run(() => port.etcdMembers());
      expect(before).toHaveLength(3);
      expect(before.filter(({ leader }) => leader)).toHaveLength(1);
      expect(before.every(({ healthy, learner }) => healthy && !learner)).toBe(true);
      await run(() => port.reboot(controlPlane));
      await untilDown(controlPlane);
      const after = await run(() => port.etcdMembers());
      expect(after.find(({ node }) => node === controlPlane)?.healthy).toBe(false);
      expect(after.filter(({ leader }) => leader)).toHaveLength(1);
    }));
}
