/** Goal: each promise is seen broken when a mechanism breaks it, and not by what only looks like it. */
import { describe, expect, it } from 'vitest';
import { smallCluster } from '../../../test/support/small-cluster.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { evictPod } from '../controllers/eviction.ts';
import { createProber } from '../ports/prober.ts';
import { buildWorld, type TwinWorld } from '../scenario/build-world.ts';
import { createObserver, type Observer } from './create-observer.ts';

const DIRECTORY = '/etc/cni/net.d';
const FLANNEL = '10-flannel.conflist';
const LABEL = 'io.cilium.migration/cilium-default';

interface Watched {
  readonly world: TwinWorld;
  readonly observer: Observer;
  run(seconds: number): void;
  broken(): readonly string[];
}

function watched(): Watched {
  const { world } = buildWorld(smallCluster(), { seed: 1 });
  world.kernel.runUntil(30_000);
  const observer = createObserver(world, createProber(world));
  return {
    world,
    observer,
    run: (seconds) => world.kernel.runUntil(world.kernel.now() + seconds * 1000),
    broken: () =>
      observer
        .finish()
        .invariants.filter(({ held }) => !held)
        .map(({ name }) => name),
  };
}

function change(world: TwinWorld, name: string, update: (node: NodeObject) => NodeObject): void {
  world.store.update('Node', undefined, name, update);
}

function cordon(world: TwinWorld, name: string, unschedulable: boolean): void {
  change(world, name, (node) => ({ ...node, spec: { ...node.spec, unschedulable } }));
}

function label(world: TwinWorld, name: string): void {
  change(world, name, (node) => ({
    ...node,
    metadata: { ...node.metadata, labels: { ...node.metadata.labels, [LABEL]: 'true' } },
  }));
}

function setReady(world: TwinWorld, name: string, ready: boolean): void {
  change(world, name, (node) => ({
    ...node,
    status: {
      ...node.status,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }));
}

function webPods(world: TwinWorld) {
  return world.store.list('Pod', 'apps').filter(({ metadata }) => metadata.name.startsWith('web'));
}

function annotate(world: TwinWorld, annotations: Record<string, string>): void {
  change(world, 't-w1', (node) => ({ ...node, metadata: { ...node.metadata, annotations } }));
}

function taint(world: TwinWorld, key: string): void {
  change(world, 't-w1', (node) => ({
    ...node,
    spec: { ...node.spec, taints: [{ key, effect: 'NoSchedule' }] },
  }));
}

function filesOf(world: TwinWorld, name: string) {
  const node = world.nodes.get(name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node.files;
}

describe('a node open to pods has a network', () => {
  const NAME = 'a node open to pods has a network for them, now and after a reboot';

  it('is broken when its last conf goes, and not on a node that is closed', () => {
    const open = watched();
    filesOf(open.world, 't-w1').remove(`${DIRECTORY}/${FLANNEL}`);
    open.run(1);
    expect(open.broken()).toEqual([NAME]);
    const closed = watched();
    cordon(closed.world, 't-w1', true);
    filesOf(closed.world, 't-w1').remove(`${DIRECTORY}/${FLANNEL}`);
    closed.run(1);
    expect(closed.broken()).not.toContain(NAME);
    // But it is when the node is opened as it is.
    cordon(closed.world, 't-w1', false);
    closed.run(1);
    expect(closed.broken()).toContain(NAME);
  });

  it('is broken by a conf in front whose plugin is not there, and not by one behind', () => {
    const conf = '{"cniVersion":"0.3.1","name":"x","plugins":[{"type":"cilium-cni"}]}';
    const front = watched();
    filesOf(front.world, 't-w1').write(`${DIRECTORY}/05-x.conflist`, conf);
    front.run(1);
    expect(front.broken()).toEqual([NAME]);
    const behind = watched();
    filesOf(behind.world, 't-w1').write(`${DIRECTORY}/99-x.conflist`, conf);
    filesOf(behind.world, 't-w1').write(`${DIRECTORY}/05-x.conflist.bak`, conf);
    behind.run(1);
    expect(behind.broken()).toEqual([]);
  });

  it('is broken when nobody would write what its plugin needs after a reboot', () => {
    const { world, run, broken, observer } = watched();
    world.store.remove('DaemonSet', 'kube-system', 'kube-flannel');
    run(1);
    expect(broken()).toContain(NAME);
    const said = observer.finish().invariants.find(({ name }) => name === NAME);
    expect(said?.firstViolation?.message).toMatch(/no DaemonSet runs flannel/);
    const other = watched();
    other.world.store.remove('DaemonSet', 'kube-system', 'kube-proxy');
    other.run(1);
    expect(other.broken()).not.toContain(NAME);
  });
});

describe('no node is begun while another is in trouble', () => {
  const NAME = 'no node is begun while another is in trouble';

  it('is broken by a label that comes a minute after another node is not Ready', () => {
    const { world, run, broken } = watched();
    setReady(world, 't-w2', false);
    run(60);
    label(world, 't-w1');
    run(1);
    expect(broken()).toContain(NAME);
  });

  it('is kept when nobody could know, when the node is back, and by nodes of one wave', () => {
    const early = watched();
    setReady(early.world, 't-w2', false);
    early.run(10);
    label(early.world, 't-w1');
    early.run(1);
    expect(early.broken()).not.toContain(NAME);
    const back = watched();
    setReady(back.world, 't-w2', false);
    back.run(60);
    setReady(back.world, 't-w2', true);
    back.run(1);
    label(back.world, 't-w1');
    back.run(1);
    expect(back.broken()).not.toContain(NAME);
    const together = watched();
    label(together.world, 't-w2');
    cordon(together.world, 't-w2', true);
    setReady(together.world, 't-w2', false);
    together.run(60);
    label(together.world, 't-w1');
    together.run(1);
    expect(together.broken()).not.toContain(NAME);
  });
});

describe('budgets with room are kept', () => {
  const NAME = 'budgets with room are kept';

  it('is broken by who deletes instead of asking, and not by an eviction that was granted', () => {
    const deleted = watched();
    for (const { metadata } of webPods(deleted.world).slice(0, 2))
      deleted.world.store.delete('Pod', 'apps', metadata.name);
    deleted.run(5);
    expect(deleted.broken()).toEqual([NAME]);
    const evicted = watched();
    const answers = webPods(evicted.world).map(({ metadata }) =>
      evictPod(evicted.world, 'apps', metadata.name),
    );
    expect(answers.map((answer) => answer.evicted)).toEqual([true, false, false]);
    evicted.run(60);
    expect(evicted.broken()).toEqual([]);
  });
});

describe('replica counts stay', () => {
  it('is broken by who scales, and not by who restarts', () => {
    const { world, run, broken } = watched();
    world.store.update('Deployment', 'apps', 'api', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { restartedAt: 'now' } },
    }));
    run(5);
    expect(broken()).toEqual([]);
    world.store.update('Deployment', 'apps', 'api', (object) => ({
      ...object,
      spec: { ...object.spec, replicas: 0 },
    }));
    run(5);
    expect(broken()).toEqual(['replica counts stay']);
  });
});

describe('marks and taints of the run are gone in the end', () => {
  const NAME = 'marks and taints of the run are gone in the end';
  it('is broken by what stays, and not by what comes and goes', () => {
    const stays = watched();
    annotate(stays.world, { 'regauge.dev/cordoned-by': 'plan' });
    stays.run(1);
    expect(stays.broken()).toEqual([NAME]);
    const goes = watched();
    annotate(goes.world, { 'regauge.dev/cordoned-by': 'plan' });
    goes.run(1);
    annotate(goes.world, { 'somebody.else/mark': 'x' });
    goes.run(1);
    expect(goes.broken()).toEqual([]);
  });

  it('tells our taints from those of Kubernetes', () => {
    const ours = watched();
    taint(ours.world, 'moving');
    ours.run(1);
    expect(ours.broken()).toEqual([NAME]);
    const theirs = watched();
    taint(theirs.world, 'node.cilium.io/agent-not-ready');
    theirs.run(1);
    expect(theirs.broken()).not.toContain(NAME);
  });
});

it('the old network stays: its bridge is not removed under pods, and may be where there are none', () => {
  const NAME = 'the old network stays while a sandbox of it lives';
  const used = watched();
  used.world.nodes.get('t-w1')?.network.removeLink('cni0');
  used.run(1);
  expect(used.broken()).toContain(NAME);
  const empty = watched();
  const node = empty.world.nodes.get('t-w1');
  for (const { metadata } of empty.world.store.podsOn('t-w1'))
    node?.network.detach(metadata.uid ?? '');
  node?.network.removeLink('cni0');
  empty.run(0.1);
  expect(empty.broken()).not.toContain(NAME);
});
