/**
 * Goal: a machine that joins becomes a node by the mechanisms of the cluster it joins: its kubelet registers
 * it, the allocator gives it a range, DaemonSets come, and what network its pods get is what these write.
 */
import { describe, expect, it } from 'vitest';
import { rke2 } from '../../../test/support/rke2.ts';
import { smallCluster } from '../../../test/support/small-cluster.ts';
import { k3s, kubeadm, read, type Snapshot } from '../../../test/support/snapshots.ts';
import { powerControlOf } from '../machine/power-control.ts';
import { createProber } from '../ports/prober.ts';
import { buildWorld, type TwinWorld } from './build-world.ts';

function joinedBy(seconds: number, like = 't-w2'): { world: TwinWorld; name: string } {
  const { world } = buildWorld(smallCluster(), { seed: 1 });
  world.kernel.runUntil(10_000);
  const name = world.join(like) ?? '';
  world.kernel.runUntil(10_000 + seconds * 1000);
  return { world, name };
}

function nodeOf({ store }: TwinWorld, name: string) {
  return store.get('Node', undefined, name);
}

function readiness(world: TwinWorld, name: string): string | undefined {
  return nodeOf(world, name)?.status.conditions?.find(({ type }) => type === 'Ready')?.status;
}

describe('a machine that joins', () => {
  it('is no node before its kubelet runs', () => {
    const { world, name } = joinedBy(30);
    expect(name).toBe('t-w3');
    expect(nodeOf(world, name)).toBeUndefined();
  });

  it('registers not Ready and closed to pods, with an address and a range of its own', () => {
    const { world, name } = joinedBy(80);
    const node = nodeOf(world, name);
    expect(node?.status.addresses?.[0]?.address).toBe('10.0.0.23');
    expect(node?.metadata.labels?.['kubernetes.io/hostname']).toBe('t-w3');
    expect(node?.spec.podCIDR).toBe('10.244.5.0/24');
    expect(readiness(world, name)).toBe('False');
    expect(node?.spec.taints?.map(({ key }) => key)).toContain('node.kubernetes.io/not-ready');
    expect(world.store.podsOn(name).every(({ spec }) => spec.hostNetwork === true)).toBe(true);
  });

  it('is Ready when Flannel’s DaemonSet has written its conf, and takes pods of that network', () => {
    const { world, name } = joinedBy(200);
    expect(readiness(world, name)).toBe('True');
    expect(nodeOf(world, name)?.spec.taints ?? []).toEqual([]);
    expect(world.nodes.get(name)?.files.list('/etc/cni/net.d')).toEqual(['10-flannel.conflist']);
    const owners = world.store
      .podsOn(name)
      .map(({ metadata }) => metadata.ownerReferences?.[0]?.name);
    expect(owners.toSorted()).toEqual(['kube-flannel', 'kube-proxy']);
    const { store, kernel } = world;
    store.update('Deployment', 'apps', 'web', (set) => ({
      ...set,
      spec: { ...set.spec, replicas: 9 },
    }));
    kernel.runUntil(kernel.now() + 60_000);
    const addresses = store
      .podsOn(name)
      .flatMap(({ spec, status }) => (spec.hostNetwork === true ? [] : [status.podIP ?? '']));
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.every((address) => address.startsWith('10.244.5.'))).toBe(true);
  });

  it('may be followed by another like it, and no control plane joins', () => {
    const { world, name } = joinedBy(100);
    expect(world.join(name)).toBe('t-w4');
    expect(world.join('t-cp1')).toBeUndefined();
    expect(world.join('nobody')).toBeUndefined();
    world.kernel.runUntil(400_000);
    expect(nodeOf(world, 't-w4')?.spec.podCIDR).toBe('10.244.6.0/24');
    expect(nodeOf(world, 't-w4')?.status.addresses?.[0]?.address).toBe('10.0.0.24');
  });

  it('stays gone when it is deleted and off, and its kubelet registers it again when it boots', () => {
    const { world, name } = joinedBy(200);
    const machine = world.nodes.get(name)?.machine;
    const power = machine === undefined ? undefined : powerControlOf(machine);
    power?.cut();
    world.store.remove('Node', undefined, name);
    world.kernel.runUntil(600_000);
    expect(nodeOf(world, name)).toBeUndefined();
    power?.restore();
    world.kernel.runUntil(900_000);
    expect(readiness(world, name)).toBe('True');
  });

  it('gets probes of its own, and its paths work', async () => {
    const { world } = buildWorld(smallCluster(), { seed: 1 });
    const prober = createProber(world);
    await world.kernel.drive(() => prober.start());
    const name = world.join('t-w1') ?? '';
    world.kernel.runUntil(300_000);
    const own = prober.observe().filter(({ from }) => from.node === name);
    expect(own.length).toBeGreaterThan(8);
    expect(own.some(({ sent }) => sent > 100)).toBe(true);
    expect(await world.kernel.drive(() => prober.failing())).toEqual([]);
  });
});

describe('on other distributions', () => {
  it.each<[string, () => Snapshot, string]>([
    ['kubeadm', kubeadm, '/etc/cni/net.d'],
    ['RKE2', rke2, '/etc/cni/net.d'],
    ['K3s', k3s, '/var/lib/rancher/k3s/agent/etc/cni/net.d'],
  ])('%s: it comes up on the network of the others', (_name, snapshot, directory) => {
    const { world } = buildWorld(read(snapshot()), { seed: 1 });
    world.kernel.runUntil(10_000);
    const [worker] = [...world.nodes.values()].filter(({ role }) => role === 'worker');
    const name = world.join(worker?.name ?? '') ?? '';
    world.kernel.runUntil(400_000);
    expect(readiness(world, name)).toBe('True');
    const confs = (node: string) => world.nodes.get(node)?.files.list(directory)?.toSorted();
    expect(confs(name)).toEqual(confs(worker?.name ?? ''));
    const kinds = (node: string) =>
      world.store
        .podsOn(node)
        .filter(({ spec }) => spec.hostNetwork === true)
        .map(({ metadata }) => metadata.name.replace(node, '').slice(0, 8));
    expect(kinds(name).toSorted()).toEqual(kinds(worker?.name ?? '').toSorted());
  });
});
