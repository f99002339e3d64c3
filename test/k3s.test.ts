/**
 * K3s: Flannel, kube-proxy and the policy controller are parts of the process that is the kubelet. On a
 * twin of a cluster of three servers and two agents, as kubectl printed it: what a restart brings back and
 * what it takes away follows from the configuration alone.
 */
import { describe, expect, it } from 'vitest';
import { present } from '../src/base/assert.ts';
import { planFor, rehearse } from '../src/cli/rehearsal-session.ts';
import { openNodeHost } from '../src/drivers/host-access/open-node-host.ts';
import { memoryBackups } from '../src/engine/backups.ts';
import { reachedSteps } from '../src/engine/run/reached-steps.ts';
import { runPlan } from '../src/engine/run-plan.ts';
import { undoRun } from '../src/engine/undo-run.ts';
import type { PodObject } from '../src/model/kubernetes.ts';
import { networkOf } from '../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { leftInFilter } from '../src/twin/ports/left-in-filter.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import type { TwinNode } from '../src/twin/world.ts';
import { k3s, onOneNode, read, type Snapshot, withNodes, withPods } from './support/snapshots.ts';

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

/** What somebody would compare before and after: addresses, files, links, what runs in K3s, marks. */
function stateOf(world: TwinWorld): Readonly<Record<string, unknown>> {
  const nodes = [...world.nodes.values()].map((node) => ({
    name: node.name,
    confs: [CONF_DIRECTORY, '/etc/cni/net.d'].map((directory) => node.files.list(directory) ?? []),
    dropIn: node.files.list('/etc/rancher/k3s/config.yaml.d') ?? [],
    containerd: node.files.read(CONTAINERD),
    flannel: networkOf(node).flannel?.peers === undefined && networkOf(node).flannel?.masquerade,
    rules: leftInFilter(networkOf(node).filter, ['flannel', 'kube-router'])
      .tables.flatMap(({ table, chains }) => chains.map((chain) => `${table} ${chain}`))
      .toSorted(),
    kubeProxy: networkOf(node).kubeProxy?.rules === undefined && networkOf(node).kubeProxy?.mode,
    links: node.network.links().filter((link) => /flannel|cni0|cilium|lxc_/.test(link)),
  }));
  const objects = world.store.list('Node').map(({ metadata, spec }) => ({
    labels: metadata.labels,
    args: metadata.annotations?.['k3s.io/node-args'],
    unschedulable: spec.unschedulable ?? false,
    taints: spec.taints ?? [],
    marks: Object.keys(metadata.annotations ?? {}).filter((key) => /regauge|migration/.test(key)),
  }));
  const networks = appPods(world).map((address) => address.split('.').slice(0, 2).join('.'));
  return { nodes, objects, networks: [...new Set(networks)], unreached: unreached(world) };
}

function appPods(world: TwinWorld): readonly string[] {
  return world.store
    .list('Pod')
    .filter(
      ({ spec, metadata }) => spec.hostNetwork !== true && metadata.namespace !== 'regauge-system',
    )
    .map(({ status }) => status.podIP ?? '');
}

const TARGET = `
kubeProxyReplacement: true
ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}
`;

describe('the planned migration of a K3s cluster', () => {
  const from = read(k3s(), TARGET);
  const { plan } = planFor(from);

  it('ends clean: nothing stuck, every pod restarted once', async () => {
    const { rehearsal, run } = await rehearse({ input: from, plan });
    expect(run.outcome).toBe('done');
    expect(rehearsal.failures).toEqual([]);
    expect(rehearsal.outcome).toBe('clean');
    expect(rehearsal.summary).toMatchObject({
      nodes: 5,
      podsStuck: 0,
      maxRestartsPerPod: 1,
      dnsOutageSeconds: 0,
      apiUnauthorized: 0,
    });
    expect(rehearsal.invariants.filter(({ held }) => !held)).toEqual([]);
  });

  it('is one that restarts and reboots keep: K3s has no Flannel and no kube-proxy left', async () => {
    const { world } = buildWorld(from, { seed: 1 });
    const result = await world.kernel.drive(() => runPlan(plan, createTwinPorts(world)));
    expect(result.outcome).toBe('done');
    restart(world, 'k3s-srv-2');
    nodeOf(world, 'k3s-agt-1').machine.reboot();
    later(world, 900);
    for (const { name, files, network, runtime } of world.nodes.values()) {
      expect([name, files.list(CONF_DIRECTORY), files.list('/etc/cni/net.d')]).toEqual([
        name,
        [],
        ['05-cilium.conflist'],
      ]);
      expect(runtime.places?.binDirectories).toEqual(['/opt/cni/bin']);
      expect(network.links()).not.toContain('flannel.1');
    }
    expect([...world.nodes.values()].map((node) => networkOf(node).kubeProxy)).toEqual(
      Array(5).fill(undefined),
    );
    expect(appPods(world).every((address) => address.startsWith('10.245.'))).toBe(true);
    expect(unreached(world)).toEqual([]);
  });

  it('agents keep their conf where the runtime looks now, until it looks elsewhere', () => {
    const released = plan.steps.flatMap(({ id, action }) =>
      action.kind === 'install-helm-release' ? [[id, action.values['cni']] as const] : [],
    );
    const before = { confPath: CONF_DIRECTORY, binPath: '/var/lib/rancher/k3s/data/cni' };
    expect(released.slice(0, -1)).toMatchObject(released.slice(0, -1).map(([id]) => [id, before]));
    expect(released.at(-1)).toMatchObject([
      'remove-old-cni/agent-directories',
      { confPath: '/etc/cni/net.d', binPath: '/opt/cni/bin' },
    ]);
  });

  it('a node that reboots before its service was told of it has its network all the same', async () => {
    const { world } = buildWorld(from, { seed: 1 });
    const end = plan.steps.findIndex(({ id }) => id === 'remove-old-cni/k3s-srv-1/restart-k3s');
    const part = { ...plan, steps: plan.steps.slice(0, end + 1) };
    await world.kernel.drive(() => runPlan(part, createTwinPorts(world)));
    for (const name of ['k3s-agt-1', 'k3s-srv-3']) nodeOf(world, name).machine.reboot();
    later(world, 900);
    expect(unreached(world)).toEqual([]);
    expect(appPods(world).every((address) => address.startsWith('10.245.'))).toBe(true);
  });

  it.each([
    'move-nodes/wave-03/verify',
    'remove-old-cni/roll-out-agents',
    'remove-old-cni/tell-service',
    'remove-old-cni/k3s-srv-2/restart-k3s',
    'remove-old-cni/k3s-agt-1/restart-k3s-agent',
    'clean-up/verify',
  ])('comes back from after %s', async (last) => {
    const { world } = buildWorld(from, { seed: 1 });
    const ports = createTwinPorts(world);
    const backups = memoryBackups();
    const before = stateOf(world);
    const end = plan.steps.findIndex(({ id }) => id === last);
    expect(end).toBeGreaterThan(0);
    const part = { ...plan, steps: plan.steps.slice(0, end + 1) };
    const there = await world.kernel.drive(() => runPlan(part, ports, { backups }));
    expect(there.failed).toBeUndefined();
    const reached = await world.kernel.drive(() => reachedSteps(plan, ports, backups));
    const back = await world.kernel.drive(() => undoRun(plan, reached, ports, { backups }));
    expect(back.failed).toBeUndefined();
    later(world, 60);
    expect(stateOf(world)).toEqual(before);
  });
});

describe('through pods on the nodes, as on a real cluster', () => {
  it('goes there and back: files, services and etcd’s voters are reached with no API of the machine', async () => {
    const from = read(k3s(), TARGET);
    const { plan } = planFor(from);
    const { world } = buildWorld(from, { seed: 1 });
    const twinPorts = createTwinPorts(world);
    const { nodeHost } = openNodeHost({
      kubernetes: twinPorts.kubernetes,
      distribution: 'k3s',
      hostAccess: { run: 'test', mayCreatePods: true, isExclusive: true },
    });
    const ports = { ...twinPorts, nodeHost };
    const backups = memoryBackups();
    const before = stateOf(world);
    const there = await world.kernel.drive(() => runPlan(plan, ports, { backups }));
    expect(there.failed).toBeUndefined();
    expect(nodeOf(world, 'k3s-agt-2').files.list('/etc/cni/net.d')).toEqual(['05-cilium.conflist']);
    const reached = await world.kernel.drive(() => reachedSteps(plan, ports, backups));
    const back = await world.kernel.drive(() => undoRun(plan, reached, ports, { backups }));
    expect(back.failed).toBeUndefined();
    later(world, 60);
    expect(stateOf(world)).toEqual(before);
  });
});

describe('a single server', () => {
  it('moves too, the API away only while K3s restarts', async () => {
    const from = read(onOneServer(k3s()), TARGET);
    const { plan } = planFor(from);
    expect(
      plan.steps.filter(({ gates }) => gates.some(({ kind }) => kind === 'etcd-quorum')),
    ).toEqual([]);
    const { rehearsal, run } = await rehearse({ input: from, plan });
    expect(run.outcome).toBe('done');
    expect(rehearsal.summary).toMatchObject({ nodes: 1, podsStuck: 0, maxRestartsPerPod: 1 });
    expect(rehearsal.invariants.filter(({ held }) => !held)).toEqual([]);
  });
});

/** As the installation script leaves one machine: SQLite instead of etcd, everything on it. */
function onOneServer(snapshot: Snapshot): Snapshot {
  const alone = withNodes(onOneNode(snapshot, 'k3s-srv-1'), (node) => {
    const { 'node-role.kubernetes.io/etcd': _etcd, ...labels } = node.metadata.labels ?? {};
    const annotations = { ...node.metadata.annotations, 'k3s.io/node-args': '["server"]' };
    return { ...node, metadata: { ...node.metadata, labels, annotations } };
  });
  const { objects } = withPods(alone, (pod) => ({
    ...pod,
    status: { ...pod.status, podIP: (pod.status.podIP ?? '').replace('10.244.0.', '10.42.0.') },
  }));
  // A local volume is where its node is.
  const text = JSON.stringify(objects).replaceAll('k3s-agt-2', 'k3s-srv-1');
  return { ...snapshot, objects: JSON.parse(text) as Snapshot['objects'] };
}
