/**
 * A twin from what was read. Goals: it starts as the cluster was and starts nothing again; what was
 * not read is assumed and said; odd and incomplete snapshots still give a twin.
 */
import { describe, expect, it } from 'vitest';
import { type ClusterInput, EMPTY_INPUT } from '../../model/cluster-input.ts';
import { known } from '../../model/fact.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import { networkOf } from '../network/kernel-network.ts';
import { buildWorld, type TwinWorld } from './build-world.ts';
import type { ClusterSpecInput } from './cluster-spec.ts';
import { expandCluster } from './expand-cluster.ts';
import { objectOf } from './object-of.ts';
import { clusterSpecOf } from './read-spec.ts';

const SPEC: ClusterSpecInput = {
  kind: 'ClusterSpec',
  name: 'small',
  versions: { talos: '1.10.2', kubernetes: '1.33.0' },
  network: { endpoint: 'https://10.0.0.9:6443' },
  machine: {},
  nodes: { prefix: 't', controlPlanes: 3, workers: 2, firstAddress: '10.0.0.10' },
  workloads: [
    {
      kind: 'Deployment',
      namespace: 'a',
      name: 'web',
      image: 'web:1',
      replicas: 4,
      ports: [8080],
      service: 'ClusterIP',
    },
    { kind: 'StatefulSet', namespace: 'a', name: 'db', image: 'db:1', replicas: 2 },
    { kind: 'Pod', namespace: 'a', name: 'bare', image: 'b:1' },
  ],
};

function cluster(change: Partial<ClusterSpecInput> = {}): ClusterInput {
  return expandCluster(clusterSpecOf({ ...SPEC, ...change }));
}

function withoutKinds(input: ClusterInput, ...kinds: readonly string[]): ClusterInput {
  return { ...input, objects: input.objects.filter(({ object }) => !kinds.includes(object.kind)) };
}

/** What happens to pods in the first ten minutes of a cluster that nobody touches. */
function podChanges(world: TwinWorld): readonly string[] {
  const seen: string[] = [];
  world.store.watch('Pod', ({ type, object, old }) => {
    const turned =
      object.status.podIP !== old?.status.podIP || object.metadata.deletionTimestamp !== undefined;
    if (type !== 'modified' || turned) seen.push(`${type} ${object.metadata.name}`);
  });
  world.kernel.runUntil(600_000);
  return seen;
}

/** All that happened and all pods, after a worker was rebooted. */
function rebootedCluster(): string {
  const { world } = buildWorld(cluster(), { seed: 5 });
  world.nodes.get('t-wrk-01')?.machine.reboot();
  world.kernel.runUntil(400_000);
  return JSON.stringify([world.kernel.occurrences, world.store.list('Pod')]);
}

describe('buildWorld', () => {
  it('starts nothing again: ten minutes change no pod, and no timer is left ticking', () => {
    const { world } = buildWorld(cluster(), { seed: 1 });
    expect(podChanges(world)).toEqual([]);
    expect(world.kernel.occurrences).toEqual([]);
    expect(world.store.list('Pod').every(({ status }) => status.phase === 'Running')).toBe(true);
  });

  it('gives every pod the address and the lease it had', () => {
    const input = cluster();
    const { world } = buildWorld(input, { seed: 1 });
    for (const { object } of input.objects) {
      if (object.kind !== 'Pod') continue;
      const { spec, status, metadata } = object as PodObject; // the kind says so
      if (spec.hostNetwork === true) continue;
      const node = world.nodes.get(spec.nodeName ?? '');
      expect(node?.network.attachmentOf(metadata.uid ?? '')?.ip).toBe(status.podIP);
      expect(node?.files.read(`/var/lib/cni/networks/cbr0/${status.podIP}`)).toContain('eth0');
    }
  });

  it('has Flannel set up on every node, with its state on tmpfs and its conf on disk', () => {
    const { world } = buildWorld(cluster(), { seed: 1 });
    for (const node of world.nodes.values()) {
      expect(node.files.read('/run/flannel/subnet.env')).toContain('FLANNEL_NETWORK=10.244.0.0/16');
      expect(node.files.list('/etc/cni/net.d')).toEqual(['10-flannel.conflist']);
      expect(node.files.survives('/run/flannel/subnet.env', 'reboot')).toBe(false);
      expect(networkOf(node).links()).toContain('flannel.1');
    }
  });

  it('is the same twice', () => {
    expect(rebootedCluster()).toBe(rebootedCluster());
  });

  it('refuses files without nodes, and says what to get', () => {
    expect(() => buildWorld(EMPTY_INPUT, { seed: 1 })).toThrow(/no Node objects/);
  });
});

describe('assumptions', () => {
  it('refuses a cluster whose pods have a network that nothing read explains', () => {
    const input = cluster();
    const calico = {
      ...input,
      objects: input.objects.filter(({ object }) => !/flannel/.test(object.metadata.name)),
    };
    expect(() => buildWorld(calico, { seed: 1 })).toThrow(
      /no rehearsal is made: (\d+) of \1 running pods have a network that what was read does not explain/,
    );
  });

  it('says what was not read, with the command that would tell', () => {
    const input = { ...withoutKinds(cluster(), 'ReplicaSet'), machineConfigs: [] };
    const { assumptions } = buildWorld(input, { seed: 1 });
    const commands = assumptions.map(({ command }) => command).join('\n');
    expect(commands).toContain('get machineconfig');
    expect(commands).toContain('talosctl -n 10.0.0.10 ls /etc/cni/net.d');
    expect(commands).toContain('kubectl get replicasets -A -o yaml');
  });

  it('assumes nothing about a directory that was listed', () => {
    const input = cluster();
    const source = { file: 'ls.txt' };
    const listings = ['t-cp-01', 't-cp-02', 't-cp-03', 't-wrk-01', 't-wrk-02'].map((node) => ({
      directory: '/etc/cni/net.d',
      node: known(node, source),
      entries: [{ name: '10-flannel.conflist', type: 'file' as const }],
      source,
    }));
    const { assumptions } = buildWorld({ ...input, listings }, { seed: 1 });
    expect(assumptions).toEqual([]);
  });
});

describe('incomplete and odd snapshots', () => {
  it('brings evicted pods back although neither Deployment nor ReplicaSet was read', () => {
    const { world } = buildWorld(withoutKinds(cluster(), 'ReplicaSet', 'Deployment'), { seed: 1 });
    const [pod] = world.store
      .list('Pod', 'a')
      .filter(({ metadata }) => metadata.name.startsWith('web-'));
    world.store.delete('Pod', 'a', pod?.metadata.name ?? '');
    world.kernel.runUntil(120_000);
    const web = world.store
      .list('Pod', 'a')
      .filter(({ metadata }) => metadata.name.startsWith('web-'));
    expect(web).toHaveLength(4);
    expect(web.every(({ status }) => status.phase === 'Running')).toBe(true);
  });

  it('does not double a Deployment whose ReplicaSet was not read', () => {
    const { world } = buildWorld(withoutKinds(cluster(), 'ReplicaSet'), { seed: 1 });
    expect(podChanges(world)).toEqual([]);
  });

  it('keeps kinds of other groups apart from the core ones of the same name', () => {
    const input = cluster();
    const foreign: KubeObject = {
      apiVersion: 'longhorn.io/v1beta2',
      kind: 'Node',
      metadata: { name: 't-wrk-01', namespace: 'longhorn-system' },
    };
    const [first] = input.objects;
    if (first === undefined) throw new Error('objects');
    const { world } = buildWorld(
      { ...input, objects: [...input.objects, { ...first, object: foreign }] },
      { seed: 1 },
    );
    expect(world.nodes.size).toBe(5);
    expect(world.store.list('Node')).toHaveLength(5);
  });

  it('starts a pod that was waiting', () => {
    const input = cluster();
    const objects = input.objects.map((read) =>
      read.object.metadata.name === 'bare'
        ? { ...read, object: objectOf({ ...read.object, status: { phase: 'Pending' } }) }
        : read,
    );
    const { world } = buildWorld({ ...input, objects }, { seed: 1 });
    world.kernel.runUntil(60_000);
    expect(world.store.get('Pod', 'a', 'bare')?.status.phase).toBe('Running');
  });

  it('runs kubeadm on systemd: no machine config is missed, and the runtime’s plugins are there', () => {
    const input = cluster();
    const objects = input.objects.map((read) =>
      read.object.kind === 'Node' ? { ...read, object: asKubeadm(read.object) } : read,
    );
    const { world, assumptions } = buildWorld(
      { ...input, objects, machineConfigs: [] },
      { seed: 1 },
    );
    expect(world.versions.distribution).toBe('kubeadm');
    expect(assumptions.every(({ command }) => command?.includes('machineconfig') !== true)).toBe(
      true,
    );
    world.nodes.get('t-wrk-01')?.machine.reboot();
    world.kernel.runUntil(600_000);
    expect(world.store.podsOn('t-wrk-01').every(({ status }) => status.phase === 'Running')).toBe(
      true,
    );
  });
});

function asKubeadm(node: KubeObject): KubeObject {
  const { status } = node as KubeObject & { readonly status: { readonly nodeInfo: object } }; // generated so
  const nodeInfo = {
    ...status.nodeInfo,
    osImage: 'Debian GNU/Linux 13 (trixie)',
    containerRuntimeVersion: 'containerd://1.7.27',
  };
  return objectOf({ ...node, status: { ...status, nodeInfo } });
}

describe('a ConfigMap that a waiting pod mounts and that was not read', () => {
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt', namespace: 'a' },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'waits', namespace: 'a' },
      spec: {
        nodeName: 't-wrk-01',
        containers: [{ name: 'c', image: 'c:1' }],
        volumes: [{ name: 'v', configMap: { name: 'settings' } }],
      },
      status: { phase: 'Pending' },
    },
  ];

  it.each([
    ['is unknown, and the pod starts', {}, 'Running'],
    ['is missing where ConfigMaps were listed', { kindsListed: ['ConfigMap'] }, 'Pending'],
  ])('%s', (_name, change, phase) => {
    const { world } = buildWorld({ ...cluster({ objects }), ...change }, { seed: 1 });
    world.kernel.runUntil(60_000);
    expect(world.store.get('Pod', 'a', 'waits')?.status.phase).toBe(phase);
  });
});
