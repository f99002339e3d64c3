/**
 * Garbage collection: what a deleted owner controlled goes after it (background), and pods of a
 * Node object that is gone go without their kubelet (KK pkg/controller/garbagecollector, podgc).
 */
import { controllerOf, type KubeObject } from '../../model/kubernetes.ts';
import type { World } from '../world.ts';

const OWNERS = ['DaemonSet', 'Deployment', 'Job', 'ReplicaSet', 'StatefulSet', 'CronJob'] as const;
const OWNED = ['ReplicaSet', 'Job', 'ControllerRevision'] as const;

export function startGarbageCollector(world: World): void {
  const owned = new Map<string, Map<string, KubeObject>>();
  const place = (object: KubeObject): void => {
    const owner = controllerOf(object);
    if (owner === undefined) return;
    let objects = owned.get(owner.uid);
    if (objects === undefined) owned.set(owner.uid, (objects = new Map()));
    objects.set(
      `${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`,
      object,
    );
  };
  for (const kind of OWNED) {
    for (const object of world.store.list(kind)) place(object);
    world.store.watch(kind, ({ type, object }) => {
      if (type === 'added') place(object);
    });
  }
  for (const kind of OWNERS) {
    world.store.watch<string>(kind, ({ type, object }) => {
      if (type !== 'deleted') return;
      const uid = object.metadata.uid ?? '';
      world.kernel.after(world.constants.controllerSyncMs, () => {
        for (const dependent of owned.get(uid)?.values() ?? []) remove(world, dependent);
        owned.delete(uid);
        for (const pod of world.store.podsOf(uid)) remove(world, pod);
      });
    });
  }
  collectPodsOfLostNodes(world);
}

function remove(world: World, { kind, metadata }: KubeObject): void {
  const found = world.store.get<string>(kind, metadata.namespace, metadata.name);
  if (found?.metadata.uid === metadata.uid)
    world.store.delete(kind, metadata.namespace, metadata.name);
}

function collectPodsOfLostNodes(world: World): void {
  world.store.watch('Node', ({ type, object }) => {
    if (type !== 'deleted') return;
    const { name } = object.metadata;
    world.kernel.after(world.constants.podOfLostNodeMs, () => {
      if (world.store.get('Node', undefined, name) !== undefined) return;
      for (const { metadata } of world.store.podsOn(name)) {
        world.store.remove('Pod', metadata.namespace, metadata.name);
      }
    });
  });
}
