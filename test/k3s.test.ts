/**
 * K3s: Flannel, kube-proxy and the policy controller are parts of the process that is the kubelet. On a
 * twin of a cluster of three servers and two agents, as kubectl printed it: what a restart brings back and
 * what it takes away follows from the configuration alone.
 */
import { describe, expect, it } from 'vitest';
import { present } from '../src/base/assert.ts';
import type { PodObject } from '../src/model/kubernetes.ts';
import { networkOf } from '../src/twin/network/kernel-network.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import type { TwinNode } from '../src/twin/world.ts';
import { k3s, read } from './support/snapshots.ts';

const CONF_DIRECTORY = '/var/lib/rancher/k3s/agent/etc/cni/net.d';
const CONTAINERD = '/var/lib/rancher/k3s/agent/etc/containerd/config.toml';
const DROP_IN = '/etc/rancher/k3s/config.yaml.d/90-test.yaml';
const OFF = 'flannel-backend: none\ndisable-network-policy: true\ndisable-kube-proxy: true\n';
const SERVERS = ['k3s-srv-1', 'k3s-srv-2', 'k3s-srv-3'];

const input = read(k3s());

function twin(): TwinWorld {
  return buildWorld(input, { seed: 1 }).world;
}

function nodeOf(world: TwinWorld, name: string): TwinNode {
  return present(world.nodes.get(name), name);
}

function restart(world: TwinWorld, name: string): void {
  const unit = SERVERS.includes(name) ? 'k3s' : 'k3s-agent';
  expect(nodeOf(world, name).machine.restartService(unit)).toEqual({ ok: true });
}

function later(world: TwinWorld, seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

/** Pairs of pods, by name, of which one does not reach the other; and who gets no answer from DNS. */
function unreached(world: TwinWorld): readonly string[] {
  const pods = world.store.list('Pod');
  const reaches = (from: PodObject, to: PodObject): boolean =>
    world.fabric.reach({ kind: 'pod', pod: from }, { kind: 'pod', pod: to }).ok;
  return pods.flatMap((from) => {
    const asks = world.fabric.reach(
      { kind: 'pod', pod: from },
      { kind: 'dns', question: 'internal' },
    );
    return [
      ...pods
        .filter((to) => !reaches(from, to))
        .map((to) => `${from.metadata.name} ${to.metadata.name}`),
      ...(asks.ok ? [] : [`${from.metadata.name} dns`]),
    ];
  });
}

function addressesIn(world: TwinWorld): readonly string[] {
  return world.store
    .list('Pod')
    .map(({ metadata, status }) => `${metadata.name} ${status.podIP ?? ''}`);
}

function confsOf(world: TwinWorld, name: string): readonly string[] | undefined {
  return nodeOf(world, name).files.list(CONF_DIRECTORY);
}

describe('a twin of K3s', () => {
  it('stands as it was read, with no object that runs Flannel or kube-proxy', () => {
    const world = twin();
    later(world, 300);
    expect(world.kernel.occurrences).toEqual([]);
    expect(unreached(world)).toEqual([]);
    expect(world.store.list('DaemonSet')).toEqual([]);
    expect(confsOf(world, 'k3s-agt-1')).toEqual(['10-flannel.conflist']);
    expect(nodeOf(world, 'k3s-agt-1').files.read(CONTAINERD)).toContain(CONF_DIRECTORY);
  });

  it('a restart of the service ends no pod, and one of three servers takes no quorum', () => {
    const world = twin();
    const before = addressesIn(world);
    restart(world, 'k3s-srv-1');
    later(world, 1);
    expect(nodeOf(world, 'k3s-srv-1').kubelet.running).toBe(false);
    expect(world.api.healthy()).toBe(true);
    expect(unreached(world)).toEqual([]);
    restart(world, 'k3s-srv-2');
    later(world, 1);
    expect(world.api.healthy()).toBe(false);
    later(world, 60);
    expect(world.api.healthy()).toBe(true);
    expect(nodeOf(world, 'k3s-srv-1').kubelet.running).toBe(true);
    expect(addressesIn(world)).toEqual(before);
    expect(unreached(world)).toEqual([]);
  });

  it('writes Flannel’s conf at every start, and puts its network back after a reboot', () => {
    const world = twin();
    nodeOf(world, 'k3s-agt-2').files.remove(`${CONF_DIRECTORY}/10-flannel.conflist`);
    restart(world, 'k3s-agt-2');
    nodeOf(world, 'k3s-agt-1').machine.reboot();
    later(world, 600);
    expect(confsOf(world, 'k3s-agt-2')).toEqual(['10-flannel.conflist']);
    expect(unreached(world)).toEqual([]);
    expect(networkOf(nodeOf(world, 'k3s-agt-1')).kubeProxy?.rules).toBeUndefined();
  });

  it('takes what its configuration says when it starts, and not before', () => {
    const world = twin();
    const server = nodeOf(world, 'k3s-srv-1');
    server.files.write(DROP_IN, OFF);
    later(world, 60);
    expect(networkOf(server).flannel?.peers).toBeUndefined();
    restart(world, 'k3s-srv-1');
    later(world, 60);
    expect(server.files.read(CONTAINERD)).not.toContain(CONF_DIRECTORY);
    expect(server.runtime.places?.confDirectory).toBe('/etc/cni/net.d');
    expect(server.runtime.networkStatus().message).toContain('cni plugin not initialized');
    // What the last flanneld and the last kube-proxy left stays as it was.
    expect(networkOf(server).flannel?.peers).toBeDefined();
    expect(networkOf(server).kubeProxy?.rules).toBeDefined();
    const args = world.store.get('Node', undefined, 'k3s-srv-1')?.metadata.annotations?.[
      'k3s.io/node-args'
    ];
    expect(args).toContain('"--flannel-backend","none"');
    server.files.remove(DROP_IN);
    restart(world, 'k3s-srv-1');
    later(world, 60);
    expect(server.runtime.networkStatus().ready).toBe(true);
    expect(networkOf(server).flannel?.peers).toBeUndefined();
    expect(unreached(world)).toEqual([]);
  });

  it('agents do as a server says that runs, and wait for one', () => {
    const world = twin();
    for (const name of SERVERS) nodeOf(world, name).files.write(DROP_IN, OFF);
    const agent = nodeOf(world, 'k3s-agt-1');
    restart(world, 'k3s-agt-1');
    later(world, 60);
    expect(agent.files.read(CONTAINERD)).toContain(CONF_DIRECTORY);
    for (const name of [...SERVERS, 'k3s-agt-1']) restart(world, name);
    later(world, 3);
    expect(agent.kubelet.running).toBe(false);
    later(world, 60);
    expect(agent.kubelet.running).toBe(true);
    expect(agent.files.read(CONTAINERD)).not.toContain(CONF_DIRECTORY);
  });

  it('comes back with all its nodes when every server restarts at once', () => {
    const world = twin();
    for (const name of SERVERS) restart(world, name);
    later(world, 120);
    const ready = world.store
      .list('Node')
      .map(({ status }) => status.conditions?.find(({ type }) => type === 'Ready')?.status);
    expect(ready).toEqual(['True', 'True', 'True', 'True', 'True']);
    expect(nodeOf(world, 'k3s-srv-1').machine.restartService('kubelet').ok).toBe(false);
  });
});
