/** The host of a node: what reaches it, what it refuses, and that a machine that is down is silent. */
import { describe, expect, it } from 'vitest';
import type { Machine } from '../world.ts';
import { fakeNode, fakeWorld } from '../machine/testing.ts';
import { createNodeHostPort } from './node-host-port.ts';

function set(machine: Partial<Machine> = {}) {
  const world = fakeWorld();
  const calls: string[] = [];
  const full: Machine = {
    up: true,
    bootId: 'b',
    config: () => 'version: v1alpha1\n',
    patchConfig: () => ({ ok: true }),
    reboot: () => void calls.push('reboot'),
    upgrade: (image) => void calls.push(`upgrade ${image}`),
    restartService: () => ({ ok: true }),
    ...machine,
  };
  fakeNode(world, 'talos-cp-01', () => full);
  const port = createNodeHostPort(world, {
    cleanKubeProxyRules: (node) => void calls.push(`clean ${node.name}`),
    upgradeKubernetes: () => void calls.push('upgrade-k8s'),
  });
  return { world, port, calls, run: <T>(work: () => Promise<T>) => world.kernel.drive(work) };
}

describe('node host port', () => {
  it('writes, renames and reads files', async () => {
    const { port, run } = set();
    await run(() => port.write('talos-cp-01', '/etc/cni/net.d/a.conf', 'x'));
    await run(() => port.rename('talos-cp-01', '/etc/cni/net.d/a.conf', '/etc/cni/net.d/b.conf'));
    expect(await run(() => port.read('talos-cp-01', '/etc/cni/net.d/b.conf'))).toBe('x');
    expect(await run(() => port.read('talos-cp-01', '/etc/cni/net.d/a.conf'))).toBeUndefined();
  });

  it('hands on a refusal in the machine’s own words', async () => {
    const { port, run } = set({
      patchConfig: () => ({ ok: false, message: 'unknown keys found during decoding:' }),
    });
    await expect(
      run(() => port.patchMachineConfig('talos-cp-01', 'x: 1', 'auto')),
    ).rejects.toMatchObject({
      code: 'refused',
      message: 'unknown keys found during decoding:',
    });
  });

  it('does not reach a machine that is down, and etcd counts it as unhealthy', async () => {
    const { port, run } = set({ up: false });
    await expect(run(() => port.read('talos-cp-01', '/x'))).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(await run(() => port.etcdMembers())).toEqual([
      { node: 'talos-cp-01', healthy: false, learner: false, leader: false },
    ]);
  });

  it('names a node it does not know', async () => {
    const { port, run } = set();
    await expect(run(() => port.reboot('nobody'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('restarts a sandbox by the pod’s name', async () => {
    const { port, run, world } = set();
    world.store.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'a', uid: 'u1' },
      spec: { nodeName: 'talos-cp-01', containers: [] },
      status: {},
    });
    await run(() => port.restartSandbox('talos-cp-01', 'a', 'web'));
    expect(world.log).toEqual(['talos-cp-01 sandbox u1']);
  });
});
