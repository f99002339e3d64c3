/** The ReplicaSet controller: as many pods as asked for, the least useful ones go first. */
import {
  controllerOf,
  objectKey,
  type PodObject,
  type ReplicaSetObject,
} from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import { POD_COUNT } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { activePodsOf, type PodFactory } from './pod-factory.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

const COMPONENT = 'replicaset-controller';

export class ReplicaSetController {
  private readonly world: World;
  private readonly factory: PodFactory;
  private readonly queue: WorkQueue;

  constructor(world: World, factory: PodFactory) {
    this.world = world;
    this.factory = factory;
    this.queue = new WorkQueue(world, (key) => this.sync(key));
    const { store } = world;
    for (const set of store.list('ReplicaSet')) {
      if ((set.spec.replicas ?? 1) > 0 || store.podsOf(set.metadata.uid ?? '').length > 0) {
        this.queue.add(objectKey(set));
      }
    }
    store.watch('ReplicaSet', ({ type, object, old }) => {
      if (type !== 'deleted' && object.spec !== old?.spec) this.queue.add(objectKey(object));
    });
    store.watchPods({ parts: POD_COUNT, owner: 'ReplicaSet' }, ({ object }) => {
      const owner = controllerOf(object);
      if (owner === undefined) return;
      this.queue.add(`${object.metadata.namespace ?? 'default'}/${owner.name}`);
    });
  }

  private sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = this.world.store.get('ReplicaSet', namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const uid = set.metadata.uid ?? '';
    const wanted = set.spec.replicas ?? 1;
    if (this.world.store.tallyOf(uid).active > wanted) this.removeSurplus(uid, wanted);
    // Counted before pods are created: those of this sync are not ready yet.
    const { active, ready } = this.world.store.tallyOf(uid);
    let replicas = active;
    let refused = false;
    for (; replicas < wanted && !refused; replicas += refused ? 0 : 1) {
      refused = !this.factory.create({
        owner: set,
        name: { prefix: `${set.metadata.name}-` },
        template: set.spec.template,
        component: COMPONENT,
        hold: () => this.queue.hold(key),
      });
    }
    if (refused) this.queue.retry(key);
    else this.queue.succeeded(key);
    this.writeStatus(set, replicas, ready);
  }

  private removeSurplus(uid: string, wanted: number): void {
    const pods = activePodsOf(this.world, uid);
    for (const { metadata } of leastUseful(pods).slice(0, pods.length - wanted))
      this.world.store.delete('Pod', metadata.namespace, metadata.name);
  }

  private writeStatus(set: ReplicaSetObject, replicas: number, readyReplicas: number): void {
    const same =
      set.status?.replicas === replicas && (set.status.readyReplicas ?? 0) === readyReplicas;
    if (same) return;
    const { namespace, name } = set.metadata;
    this.world.store.update('ReplicaSet', namespace, name, (object) => ({
      ...object,
      status: { ...object.status, replicas, readyReplicas },
    }));
  }
}

/** Without a node before with one, pending before running, unready before ready, new before old. */
function leastUseful(pods: readonly PodObject[]): PodObject[] {
  return pods.toSorted(
    (left, right) => rankOf(left) - rankOf(right) || (bornAt(left) < bornAt(right) ? 1 : -1),
  );
}

function rankOf(pod: PodObject): number {
  if (pod.spec.nodeName === undefined) return 0;
  if (pod.status.phase === 'Pending') return 1;
  return isPodReady(pod) ? 3 : 2;
}

function bornAt(pod: PodObject): string {
  return pod.metadata.creationTimestamp ?? '';
}
