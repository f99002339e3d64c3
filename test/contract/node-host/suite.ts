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
