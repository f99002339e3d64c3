/**
 * Goal: each fault changes what it says it changes, by the twin's own mechanisms, and is over when it
 * says so. What comes of it for a migration is for sweeps to find.
 */
import { describe, expect, it } from 'vitest';
import { Random } from '../../base/random.ts';
import type { Ports } from '../../ports/index.ts';
import { evictPod } from '../controllers/eviction.ts';
import { createTwinPorts } from '../ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../scenario/build-world.ts';
import { smallCluster } from '../../../test/support/small-cluster.ts';
import type { Ending, FaultScene } from './fault.ts';
import { requireFault } from './fault-text.ts';
import { Processes } from './processes.ts';
import { FAULTS } from './registry.ts';
import { Weather } from './wire.ts';

interface Struck {
  readonly world: TwinWorld;
  readonly ports: Ports;
  readonly ending: Ending;
  /** What the executor was told. */
  readonly told: string[];
  run(seconds: number): void;
}

function strike(id: string, parameters: Record<string, number> = {}, node = 't-w1'): Struck {
  const fault = requireFault(id);
  const processes = new Processes();
  const wrapPrograms = processes.wrap.bind(processes);
  const { world } = buildWorld(smallCluster(), { seed: 1, wrapPrograms });
  const weather = new Weather(world.kernel);
  const told: string[] = [];
  const scene: FaultScene = {
    world,
    weather,
    processes,
    random: new Random(1),
    executor: {
      kill: ({ afterCalls, backAfterMs }) => told.push(`kill ${afterCalls} ${backAfterMs}`),
      startAnother: () => told.push('another'),
    },
  };
  world.kernel.runUntil(30_000);
  const ending = fault.strike(scene, {
    node,
    value: (name) => parameters[name] ?? fault.parameters[name]?.usual ?? 0,
  });
  const ports = weather.wire().around(createTwinPorts(world));
  const run = (seconds: number): void => world.kernel.runUntil(world.kernel.now() + seconds * 1000);
  return { world, ports, ending, told, run };
}

function isReady({ store }: TwinWorld, name: string): boolean {
  const node = store.get('Node', undefined, name);
  return node?.status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

function readyOf({ store }: TwinWorld, kind: 'Deployment', namespace: string, name: string) {
  return store.get(kind, namespace, name)?.status?.readyReplicas ?? 0;
}

describe('every fault', () => {
  it.each(FAULTS.map(({ id }) => id))(
    '%s says what it stands for, and where that is told',
    (id) => {
      const { title, standsFor, source, parameters } = requireFault(id);
      for (const text of [title, standsFor, source]) expect(text.length).toBeGreaterThan(8);
      for (const { least, usual } of Object.values(parameters))
        expect(least).toBeLessThanOrEqual(usual);
    },
  );

  it('has a name of its own', () => {
    expect(new Set(FAULTS.map(({ id }) => id)).size).toBe(FAULTS.length);
  });
});

describe('machines', () => {
  it('node-lost: the node is not Ready soon, its pods go elsewhere, and it boots when it is back', () => {
    const { world, run, ending } = strike('node-lost', { back: 900 });
    expect(ending).toEqual({ overAfterMs: 975_000 });
    run(70);
    expect(isReady(world, 't-w1')).toBe(false);
    run(600);
    expect(readyOf(world, 'Deployment', 'apps', 'web')).toBe(3);
    run(400);
    expect(isReady(world, 't-w1')).toBe(true);
  });

  it('node-lost: for ever is for ever', () => {
    const { world, run, ending } = strike('node-lost', { back: 0 });
    expect(ending).toBe('lasting');
    run(20_000);
    expect(isReady(world, 't-w1')).toBe(false);
  });

  it('node-stays-down: nothing happens until it reboots, and then it does not come back by itself', () => {
    const { world, run } = strike('node-stays-down', { back: 0 });
    run(300);
    expect(isReady(world, 't-w1')).toBe(true);
    world.nodes.get('t-w1')?.machine.reboot();
    run(600);
    expect(world.nodes.get('t-w1')?.machine.up).toBe(false);
  });

  it('node-stays-down: somebody helps', () => {
    const { world, run } = strike('node-stays-down', { back: 600 });
    world.nodes.get('t-w1')?.machine.reboot();
    run(400);
    expect(world.nodes.get('t-w1')?.machine.up).toBe(false);
    run(400);
    expect(isReady(world, 't-w1')).toBe(true);
  });

  it('autoscaler-adds-node: a worker like the others boots, registers, and stays', () => {
    const { world, run, ending } = strike('autoscaler-adds-node');
    expect(ending).toEqual({ overAfterMs: 150_000 });
    run(60);
    expect(world.store.get('Node', undefined, 't-w3')).toBeUndefined();
    run(120);
    expect(isReady(world, 't-w3')).toBe(true);
  });

  it('autoscaler-adds-node: one that is taken away again leaves no Node behind', () => {
    const { world, run } = strike('autoscaler-adds-node', { stays: 0, for: 120 });
    run(100);
    expect(world.store.get('Node', undefined, 't-w3')).toBeDefined();
    run(200);
    expect(world.store.get('Node', undefined, 't-w3')).toBeUndefined();
    expect(world.store.podsOn('t-w3')).toEqual([]);
  });

  it('node-removed: the Node is gone, and so are its pods a minute later', () => {
    const { world, run } = strike('node-removed');
    run(120);
    expect(world.store.get('Node', undefined, 't-w1')).toBeUndefined();
    expect(world.store.podsOn('t-w1')).toEqual([]);
  });

  it('etcd-member-lost: one of three leaves a quorum, and the port tells of it', async () => {
    const { world, ports, run } = strike('etcd-member-lost', { back: 600 }, 't-cp2');
    const unhealthy = async () => {
      const members = await world.kernel.drive(() => ports.nodeHost.etcdMembers());
      return members.filter(({ healthy }) => !healthy).map(({ node }) => node);
    };
    expect(world.api.healthy()).toBe(true);
    expect(await unhealthy()).toEqual(['t-cp2']);
    // With a machine gone besides, nobody answers.
    world.nodes.get('t-cp1')?.machine.reboot();
    run(40);
    expect(world.api.healthy()).toBe(false);
    run(700);
    expect(world.api.healthy()).toBe(true);
    expect(await unhealthy()).toEqual([]);
  });
});

describe('software', () => {
  it('agent-crashes: the agent of one node restarts again and again, and stays up in the end', () => {
    const { world, run } = strike('agent-crashes', { for: 120 });
    const restarts = (node: string): number =>
      world.store
        .podsOn(node)
        .filter(({ metadata }) => metadata.name.startsWith('kube-flannel'))
        .flatMap(({ status }) => status.containerStatuses ?? [])
        .reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
    const [there, elsewhere] = [restarts('t-w1'), restarts('t-w2')];
    run(120);
    expect(restarts('t-w1')).toBeGreaterThan(there + 2);
    expect(restarts('t-w2')).toBe(elsewhere);
    run(400);
    const after = restarts('t-w1');
    run(600);
    expect(restarts('t-w1')).toBe(after);
  });

  it('dns-crashes: no DNS server is ready meanwhile, and both are after', () => {
    const { world, run } = strike('dns-crashes', { for: 120 });
    run(100);
    expect(readyOf(world, 'Deployment', 'kube-system', 'coredns')).toBe(0);
    run(500);
    expect(readyOf(world, 'Deployment', 'kube-system', 'coredns')).toBe(2);
  });

  it('slow-pulls: an image that a node does not have takes ten times as long, then no longer', () => {
    const { world, run } = strike('slow-pulls', { times: 10, for: 60 });
    expect(world.constants.imagePullMs).toBe(90_000);
    run(60);
    expect(world.constants.imagePullMs).toBe(9_000);
  });
});

describe('other hands', () => {
  it('colleague-uncordons: opens every node, whoever cordoned it', () => {
    const { world, run } = strike('colleague-uncordons');
    const cordon = (name: string) =>
      world.store.update('Node', undefined, name, (node) => ({
        ...node,
        spec: { ...node.spec, unschedulable: true },
      }));
    cordon('t-w1');
    requireFault('colleague-uncordons').strike(
      { world } as FaultScene, // it looks at nothing else
      { node: '', value: () => 0 },
    );
    run(10);
    expect(world.store.get('Node', undefined, 't-w1')?.spec).not.toHaveProperty('unschedulable');
    expect(world.store.get('Node', undefined, 't-w1')?.spec.taints ?? []).toEqual([]);
  });

  it('gitops-reverts: what is deleted comes back, until it is suspended', () => {
    const { world, run } = strike('gitops-reverts', { every: 30, for: 300 });
    const remove = (): void => world.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    const isThere = (): boolean =>
      world.store.get('DaemonSet', 'kube-system', 'kube-flannel') !== undefined;
    remove();
    run(40);
    expect(isThere()).toBe(true);
    run(300);
    remove();
    run(600);
    expect(isThere()).toBe(false);
  });

  it('gitops-reverts: leaves alone what nobody changed', () => {
    const { world, run } = strike('gitops-reverts', { every: 30, for: 300 });
    const version = () =>
      world.store.get('ConfigMap', 'kube-system', 'kube-flannel-cfg')?.metadata.resourceVersion;
    const before = version();
    run(300);
    expect(version()).toBe(before);
  });

  it('budget-never: pods of a workload of the node cannot be evicted, until it is taken away', () => {
    const { world, run } = strike('budget-never', { for: 600 });
    const [budget] = world.store
      .list('PodDisruptionBudget')
      .filter(({ metadata }) => metadata.name === 'allows-none');
    const app = budget?.spec.selector?.matchLabels ?? {};
    run(5);
    const pod = world.store
      .podsOn('t-w1')
      .find(({ metadata }) => Object.entries(app).every(([k, v]) => metadata.labels?.[k] === v));
    const evict = () => evictPod(world, pod?.metadata.namespace ?? '', pod?.metadata.name ?? '');
    expect(evict()).toMatchObject({ evicted: false });
    run(600);
    expect(
      world.store.list('PodDisruptionBudget').map(({ metadata }) => metadata.name),
    ).not.toContain('allows-none');
  });

  it('drain-blocked: a pod that is deleted stays, until its finalizer is taken away', () => {
    const { world, run } = strike('drain-blocked', { for: 600 });
    const held = world.store.podsOn('t-w1').filter(({ metadata }) => metadata.finalizers?.length);
    expect(held).toHaveLength(1);
    const { namespace, name = '' } = held[0]?.metadata ?? {};
    world.store.delete('Pod', namespace, name);
    run(300);
    expect(world.store.get('Pod', namespace, name)).toBeDefined();
    // Nobody writes it again and again meanwhile.
    const { resourceVersion } = world.store;
    run(100);
    expect(world.store.resourceVersion - resourceVersion).toBeLessThan(20);
    run(300);
    expect(world.store.get('Pod', namespace, name)).toBeUndefined();
  });

  it('webhook-down: no pod is made meanwhile, and all are after', () => {
    const { world, run } = strike('webhook-down', { for: 180 });
    const [pod] = world.store
      .podsOn('t-w1')
      .filter(({ metadata }) => metadata.namespace === 'apps');
    world.store.delete('Pod', 'apps', pod?.metadata.name ?? '');
    run(150);
    const ready = () =>
      readyOf(world, 'Deployment', 'apps', 'web') + readyOf(world, 'Deployment', 'apps', 'api');
    expect(ready()).toBe(4);
    run(300);
    expect(ready()).toBe(5);
  });

  it('clock-skew: a token that was issued since is refused, and one from long ago is not', () => {
    const { world, run } = strike('clock-skew', { behind: 300, for: 300 });
    const account = world.store.list('ServiceAccount')[0];
    const check = (issuedAtMs: number) =>
      world.api.check({
        kind: 'token',
        token: {
          namespace: account?.metadata.namespace ?? '',
          serviceAccount: account?.metadata.name ?? '',
          serviceAccountUid: account?.metadata.uid ?? '',
          podUid: 'x',
          issuedAtMs,
          because: [],
        },
      });
    expect(check(world.kernel.now())).toMatchObject({ ok: false, failure: 'unauthorized' });
    expect(check(world.kernel.now() - 400_000)).toEqual({ ok: true });
    run(300);
    expect(check(world.kernel.now())).toEqual({ ok: true });
  });
});

describe('executors and the way to the API', () => {
  it('helm-killed: the next run ends after so many objects, and the release says so', async () => {
    const { world, ports } = strike('helm-killed', { objects: 2 });
    const release = { release: 'cilium', namespace: 'kube-system' };
    const request = { ...release, chart: 'cilium', version: '1.16.5', values: {} } as const;
    await world.kernel.drive(async () => {
      await expect(ports.helm.upgradeOrInstall(request)).rejects.toMatchObject({
        code: 'unreachable',
      });
      expect(await ports.helm.status('cilium', 'kube-system')).toMatchObject({
        status: 'pending-install',
      });
      await ports.helm.upgradeOrInstall(request, { unfinished: 'repair' });
    });
    expect(world.store.get('DaemonSet', 'kube-system', 'cilium')).toBeDefined();
  });

  it('executor-killed and second-executor tell the executor, and touch nothing', () => {
    expect(strike('executor-killed', { calls: 3, back: 9 }).told).toEqual(['kill 3 9000']);
    expect(strike('second-executor').told).toEqual(['another']);
  });

  it.each([
    ['api-throttles', 100, 'answered'],
    ['api-throttles', 400, 'throttled'],
    ['api-errors', 30, 'answered'],
    ['api-hangs', 200, 'answered'],
    ['api-hangs', 900, 'timeout'],
    ['partition', 50, 'answered'],
    ['partition', 90, 'unreachable'],
  ])('%s for %i s: a read ends %s', async (id, seconds, ending) => {
    const { world, ports } = strike(id, { for: seconds });
    const read = world.kernel.drive(() => ports.kubernetes.list('v1', 'Node'));
    const code = await read.then(
      () => 'answered',
      (error: { readonly code?: string }) => error.code,
    );
    expect(code).toBe(ending);
  });

  it('api-errors: a write is refused at once, since it may have been done', async () => {
    const { world, ports } = strike('api-errors', { for: 30 });
    const write = ports.kubernetes.delete({ apiVersion: 'v1', kind: 'Pod', name: 'x' });
    await expect(world.kernel.drive(() => write)).rejects.toThrow(/etcdserver/);
    expect(world.kernel.now()).toBeLessThan(31_000);
  });
});
