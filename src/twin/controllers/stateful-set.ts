/**
 * The StatefulSet controller: pods with ordinal names and their own claims, one after the other. A
 * pod that cannot end keeps its name, and so is not replaced (KK pkg/controller/statefulset).
 */
import {
  controllerOf,
  objectKey,
  type PodObject,
  type StatefulSetObject,
  type Volume,
} from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import { POD_COUNT } from '../store/pod-changes.ts';
import { isActive } from '../store/pod-index.ts';
import type { World } from '../world.ts';
import { ControllerRevisions, REVISION_HASH as REVISION } from './controller-revisions.ts';
import type { PodFactory } from './pod-factory.ts';
import { TemplateNames } from './template-hash.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

const COMPONENT = 'statefulset-controller';

export class StatefulSetController {
  private readonly world: World;
  private readonly factory: PodFactory;
  private readonly queue: WorkQueue;
  private readonly names = new TemplateNames();
  private readonly revisions: ControllerRevisions;
  /** Claims of pods that were seen, by pod key: a pod comes back to its own volumes. */
  private readonly claims = new Map<string, readonly Volume[]>();

  constructor(world: World, factory: PodFactory) {
    this.world = world;
    this.factory = factory;
    this.queue = new WorkQueue(world, (key) => this.sync(key));
    this.revisions = new ControllerRevisions(world);
    const { store } = world;
    for (const set of store.list('StatefulSet')) this.adopt(set);
    store.watch('StatefulSet', ({ type, object, old }) => {
      if (type !== 'deleted' && object.spec !== old?.spec) this.queue.add(objectKey(object));
    });
    store.watchPods({ parts: POD_COUNT, owner: 'StatefulSet' }, ({ type, object }) => {
      const owner = controllerOf(object);
      if (owner === undefined) return;
      if (type !== 'modified') this.remember(object);
      this.queue.add(`${object.metadata.namespace ?? 'default'}/${owner.name}`);
    });
  }

  private adopt(set: StatefulSetObject): void {
    const uid = set.metadata.uid ?? '';
    for (const pod of this.world.store.podsOf(uid)) {
      this.remember(pod);
      const seen = pod.metadata.labels?.[REVISION];
      if (seen !== undefined) this.names.learn(uid, set.spec.template, seen);
    }
    this.queue.add(objectKey(set));
  }

  private remember(pod: PodObject): void {
    const claims = (pod.spec.volumes ?? []).filter(
      ({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined,
    );
    if (claims.length > 0) this.claims.set(objectKey(pod), claims);
  }

  private sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = this.world.store.get('StatefulSet', namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    this.revisions.record(set, this.revisionOf(set));
    const wanted = set.spec.replicas ?? 1;
    const parallel = set.spec.podManagementPolicy === 'Parallel';
    const settled = this.fill(set, wanted, parallel);
    if (settled) {
      const surplus = this.surplus(set, wanted);
      if (surplus.length > 0)
        for (const pod of parallel ? surplus : surplus.slice(0, 1)) this.remove(pod);
      else this.update(set, wanted);
    }
    this.writeStatus(set);
  }

  /** False while a pod below the wanted count is missing or, in order, not ready. */
  private fill(set: StatefulSetObject, wanted: number, parallel: boolean): boolean {
    let settled = true;
    for (let ordinal = 0; ordinal < wanted; ordinal += 1) {
      if (!settled && !parallel) return false;
      const pod = this.podAt(set, ordinal);
      if (pod === undefined) {
        settled = false;
        if (!this.create(set, ordinal)) this.queue.retry(objectKey(set));
        else this.queue.succeeded(objectKey(set));
      } else if (pod.status.phase === 'Failed' && isUndeleted(pod)) {
        settled = false;
        this.remove(pod);
      } else if (!isPodReady(pod) || !isUndeleted(pod)) settled &&= parallel && isUndeleted(pod);
    }
    return settled;
  }

  /** Replaces the highest pod of an old template; the next when that one is ready. */
  private update(set: StatefulSetObject, wanted: number): void {
    if (set.spec.updateStrategy?.type === 'OnDelete') return;
    const revision = this.revisionOf(set);
    for (let ordinal = wanted - 1; ordinal >= 0; ordinal -= 1) {
      const pod = this.podAt(set, ordinal);
      if (pod === undefined) return;
      const seen = pod.metadata.labels?.[REVISION];
      if (seen !== undefined && seen !== revision) {
        this.remove(pod);
        return;
      }
      if (!isPodReady(pod)) return;
    }
  }

  private create(set: StatefulSetObject, ordinal: number): boolean {
    const name = `${set.metadata.name}-${ordinal}`;
    return this.factory.create({
      owner: set,
      name,
      template: set.spec.template,
      labels: {
        [REVISION]: this.revisionOf(set),
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(ordinal),
      },
      spec: { volumes: this.volumesOf(set, name) },
      component: COMPONENT,
      hold: () => this.queue.hold(objectKey(set)),
    });
  }

  private volumesOf(set: StatefulSetObject, pod: string): readonly Volume[] {
    const own = set.spec.template.spec.volumes ?? [];
    const templates = set.spec.volumeClaimTemplates;
    const claims =
      templates === undefined
        ? (this.claims.get(`${set.metadata.namespace ?? 'default'}/${pod}`) ?? [])
        : templates.map(({ metadata }) => ({
            name: metadata.name,
            persistentVolumeClaim: { claimName: `${metadata.name}-${pod}` },
          }));
    const names = new Set(claims.map(({ name }) => name));
    return [...claims, ...own.filter(({ name }) => !names.has(name))];
  }

  private revisionOf(set: StatefulSetObject): string {
    const name = this.names.nameOf(set.metadata.uid ?? '', set.spec.template);
    return name.startsWith(`${set.metadata.name}-`) ? name : `${set.metadata.name}-${name}`;
  }

  private surplus(set: StatefulSetObject, wanted: number): PodObject[] {
    return this.world.store
      .podsOf(set.metadata.uid ?? '')
      .filter((pod) => isActive(pod) && ordinalOf(pod) >= wanted)
      .toSorted((left, right) => ordinalOf(right) - ordinalOf(left));
  }

  private podAt(set: StatefulSetObject, ordinal: number): PodObject | undefined {
    return this.world.store.get('Pod', set.metadata.namespace, `${set.metadata.name}-${ordinal}`);
  }

  private remove(pod: PodObject): void {
    if (isUndeleted(pod)) this.world.store.delete('Pod', pod.metadata.namespace, pod.metadata.name);
  }

  private writeStatus(set: StatefulSetObject): void {
    const pods = this.world.store.podsOf(set.metadata.uid ?? '').filter(isActive);
    const status = this.statusOf(set, pods);
    const old = new Map<string, unknown>(Object.entries(set.status ?? {}));
    if (Object.entries(status).every(([field, value]) => old.get(field) === value)) return;
    const { namespace, name } = set.metadata;
    this.world.store.update('StatefulSet', namespace, name, (object) => ({
      ...object,
      status: { ...object.status, ...status },
    }));
  }

  /** The update is over, and its revision the current one, when every pod has it and is ready. */
  private statusOf(
    set: StatefulSetObject,
    pods: readonly PodObject[],
  ): Required<NonNullable<StatefulSetObject['status']>> {
    const updateRevision = this.revisionOf(set);
    const replicas = pods.length;
    const readyReplicas = pods.filter(isPodReady).length;
    // A pod that was there when the twin began may not tell its revision: it has the template's.
    const updatedReplicas = pods.filter(
      ({ metadata }) => (metadata.labels?.[REVISION] ?? updateRevision) === updateRevision,
    ).length;
    const isOver = updatedReplicas === replicas && readyReplicas === replicas;
    return {
      replicas,
      readyReplicas,
      updatedReplicas,
      updateRevision,
      currentRevision: isOver ? updateRevision : (set.status?.currentRevision ?? updateRevision),
      observedGeneration: set.metadata.generation ?? 1,
    };
  }
}

function isUndeleted(pod: PodObject): boolean {
  return pod.metadata.deletionTimestamp === undefined;
}

function ordinalOf(pod: PodObject): number {
  return Number(pod.metadata.name.split('-').at(-1));
}
