/** What `kubectl rollout history` reads and `undo` goes back to: revisions of templates. */
import { describe, expect, it } from 'vitest';
import type { KubeletWorld } from '../../../test/support/kubelet-world.ts';
import {
  cluster,
  daemonSetOf,
  deploymentOf,
  podsOfApp,
  readyPodsOfApp,
  rolloutRestart,
  statefulSetOf,
} from '../../../test/support/workloads.ts';
import { MergeRules } from '../api/writes/list-types.ts';
import { applyStrategicMerge } from '../api/writes/strategic-merge.ts';
import { REVISION_HASH } from './controller-revisions.ts';
import { REVISION } from './deployment-revision.ts';

/** As `kubectl rollout history` lists them: revision numbers, oldest first. */
function revisions(world: KubeletWorld): readonly number[] {
  return world.store
    .list('ControllerRevision')
    .map(({ revision }) => revision)
    .toSorted((left, right) => left - right);
}

function undo(world: KubeletWorld, kind: 'DaemonSet' | 'StatefulSet', name: string): void {
  const before = world.store
    .list('ControllerRevision')
    .toSorted((left, right) => right.revision - left.revision)[1];
  world.store.update<string>(
    kind,
    'default',
    name,
    (set) => applyStrategicMerge(set, { ...before?.data }, new MergeRules()) as typeof set, // one of its kind
  );
}

function hashes(world: KubeletWorld, app: string): readonly (string | undefined)[] {
  return podsOfApp(world, app).map(({ metadata }) => metadata.labels?.[REVISION_HASH]);
}

describe('the history of a Deployment', () => {
  it('is told by its ReplicaSets, each with why it came, and by itself', () => {
    const world = cluster(2);
    world.store.create(deploymentOf('web', 2));
    world.run(10);
    rolloutRestart(world, 'Deployment', 'web');
    world.store.update('Deployment', 'default', 'web', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { 'kubernetes.io/change-cause': 'restarted' } },
    }));
    world.run(30);
    const told = world.store
      .list('ReplicaSet')
      .map(({ metadata: { annotations } }) => [
        annotations?.[REVISION],
        annotations?.['kubernetes.io/change-cause'],
      ]);
    expect(told).toEqual([
      ['1', undefined],
      ['2', 'restarted'],
    ]);
    const deployment = world.store.get('Deployment', 'default', 'web');
    expect(deployment?.metadata.annotations?.[REVISION]).toBe('2');
  });

  it('counts on when an old template comes back, whose ReplicaSet is used again', () => {
    const world = cluster(2);
    const first = world.store.create(deploymentOf('web', 2));
    world.run(10);
    rolloutRestart(world, 'Deployment', 'web');
    world.run(30);
    world.store.update('Deployment', 'default', 'web', (object) => ({
      ...object,
      spec: { ...object.spec, template: first.spec.template },
    }));
    world.run(30);
    const sets = world.store
      .list('ReplicaSet')
      .map(({ metadata, spec }) => [metadata.annotations?.[REVISION], spec.replicas]);
    expect(sets).toEqual([
      ['3', 2],
      ['2', 0],
    ]);
    expect(readyPodsOfApp(world, 'web')).toHaveLength(2);
  });
});

describe.each([
  ['DaemonSet', () => daemonSetOf('agent')],
  ['StatefulSet', () => statefulSetOf('agent', 2)],
] as const)('the history of a %s', (kind, make) => {
  it('brings an old template back, as the newest revision', () => {
    const world = cluster(2);
    world.store.create(make());
    world.run(20);
    const before = hashes(world, 'agent');
    rolloutRestart(world, kind, 'agent');
    world.run(60);
    expect(revisions(world)).toEqual([1, 2]);
    expect(hashes(world, 'agent')).not.toEqual(before);
    undo(world, kind, 'agent');
    world.run(60);
    expect(revisions(world)).toEqual([2, 3]);
    expect(hashes(world, 'agent')).toEqual(before);
    expect(readyPodsOfApp(world, 'agent')).toHaveLength(2);
  });

  it('is as long as the set says, and goes with it', () => {
    const world = cluster(1);
    const set = make();
    world.store.create({ ...set, spec: { ...set.spec, revisionHistoryLimit: 2 } });
    world.run(20);
    for (let round = 0; round < 4; round += 1) {
      rolloutRestart(world, kind, 'agent');
      world.run(60);
    }
    expect(revisions(world)).toEqual([3, 4, 5]);
    world.store.delete(kind, 'default', 'agent');
    world.run(10);
    expect(revisions(world)).toEqual([]);
  });
});
