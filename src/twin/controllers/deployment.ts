/**
 * The Deployment controller: one ReplicaSet per template, scaled against each other within
 * maxSurge and maxUnavailable, or one after the other with Recreate (KK pkg/controller/deployment).
 */
import {
  controllerOf,
  type DeploymentObject,
  objectKey,
  type ReplicaSetObject,
} from '../../model/kubernetes.ts';
import type { World } from '../world.ts';
import { newestRevision, REVISION, revisionOf, setAnnotations } from './deployment-revision.ts';
import { countOf } from './pod-factory.ts';
import { hashOfTemplate, TemplateNames } from './template-hash.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

const HASH = 'pod-template-hash';

export class DeploymentController {
  private readonly world: World;
  private readonly queue: WorkQueue;
  private readonly setsOf = new Map<string, Set<string>>();
  /** Which ReplicaSet stands for which template of a Deployment. */
  private readonly setFor = new TemplateNames();

  constructor(world: World) {
    this.world = world;
    this.queue = new WorkQueue(world, (key) => this.sync(key));
    const { store } = world;
    for (const set of store.list('ReplicaSet')) this.place(set);
    for (const deployment of store.list('Deployment')) this.adopt(deployment);
    store.watch('Deployment', ({ type, object, old }) => {
      const isSame =
        object.spec === old?.spec && object.metadata.annotations === old.metadata.annotations;
      if (type !== 'deleted' && !isSame) this.queue.add(objectKey(object));
    });
    store.watch('ReplicaSet', ({ type, object }) => {
      const owner = controllerOf(object);
      if (owner?.kind !== 'Deployment') return;
      if (type === 'deleted') this.setsOf.get(owner.uid)?.delete(object.metadata.name);
      else this.place(object);
      this.queue.add(`${object.metadata.namespace ?? 'default'}/${owner.name}`);
    });
  }

  /** What runs is taken to be what the template says: the newest ReplicaSet is the current one. */
  private adopt(deployment: DeploymentObject): void {
    const current = this.ownSets(deployment)
      .toSorted((left, right) => revisionOf(right) - revisionOf(left))
      .at(0);
    if (current !== undefined) this.learn(deployment, current.metadata.name);
    this.queue.add(objectKey(deployment));
  }

  private learn({ metadata, spec }: DeploymentObject, set: string): void {
    this.setFor.learn(metadata.uid ?? '', spec.template, set);
  }

  private sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const deployment = this.world.store.get('Deployment', namespace, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const sets = this.ownSets(deployment);
    const current = this.currentSet(deployment, sets);
    const old = sets.filter((set) => set.metadata.name !== current.metadata.name);
    const revision = this.number(deployment, current, old);
    if (deployment.spec.strategy?.type === 'Recreate') this.recreate(deployment, current, old);
    else this.roll(deployment, current, old);
    this.writeStatus(deployment, current.metadata.name, revision);
  }

  /** The current set is the newest revision, and is annotated as its Deployment is; returns which. */
  private number(
    deployment: DeploymentObject,
    current: ReplicaSetObject,
    old: readonly ReplicaSetObject[],
  ): string {
    const revision = newestRevision(current, old);
    const { namespace, name, annotations } = current.metadata;
    const wanted = setAnnotations(deployment, revision, annotations);
    if (wanted !== annotations)
      this.world.store.update('ReplicaSet', namespace, name, (object) => ({
        ...object,
        metadata: { ...object.metadata, annotations: wanted },
      }));
    return String(revision);
  }

  private currentSet(
    deployment: DeploymentObject,
    sets: readonly ReplicaSetObject[],
  ): ReplicaSetObject {
    const known = this.setFor.known(deployment.metadata.uid ?? '', deployment.spec.template);
    const found = sets.find((set) => set.metadata.name === known);
    if (found !== undefined) return found;
    const hash = hashOfTemplate(deployment.spec.template);
    const { template, selector } = deployment.spec;
    const labels = { ...template.metadata?.labels, [HASH]: hash };
    const created = this.world.store.create<ReplicaSetObject>({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace ?? 'default',
        labels,
        annotations: setAnnotations(deployment, newestRevision(undefined, sets)),
        ownerReferences: [
          {
            apiVersion: deployment.apiVersion,
            kind: 'Deployment',
            name: deployment.metadata.name,
            uid: deployment.metadata.uid ?? '',
            controller: true,
          },
        ],
      },
      spec: {
        replicas: 0,
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [HASH]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
      status: { replicas: 0, readyReplicas: 0 },
    });
    this.learn(deployment, created.metadata.name);
    this.place(created);
    return created;
  }

  private recreate(
    deployment: DeploymentObject,
    current: ReplicaSetObject,
    old: readonly ReplicaSetObject[],
  ): void {
    for (const set of old) this.scale(set, 0);
    // Also pods on their way out must be gone: two versions never run side by side.
    const left = old.some((set) => this.world.store.podsOf(set.metadata.uid ?? '').length > 0);
    if (left) {
      this.queue.retry(objectKey(deployment));
      return;
    }
    this.queue.succeeded(objectKey(deployment));
    this.scale(current, wantedOf(deployment));
  }

  private roll(
    deployment: DeploymentObject,
    current: ReplicaSetObject,
    old: readonly ReplicaSetObject[],
  ): void {
    const wanted = wantedOf(deployment);
    const total = sum([current, ...old].map(replicasOf));
    const { surge, unavailable } = bounds(deployment, wanted);
    if (replicasOf(current) > wanted || old.every((set) => replicasOf(set) === 0)) {
      this.scale(current, wanted);
    } else if (replicasOf(current) < wanted) {
      const room = Math.max(0, wanted + surge - total);
      this.scale(current, replicasOf(current) + Math.min(room, wanted - replicasOf(current)));
    }
    this.scaleDown(current, old, wanted - unavailable, total);
  }

  /** Old pods go while enough others are ready; unready old ones go first and cost nothing. */
  private scaleDown(
    current: ReplicaSetObject,
    old: readonly ReplicaSetObject[],
    leastReady: number,
    total: number,
  ): void {
    const newUnready = replicasOf(current) - readyOf(current);
    let spare = total - leastReady - newUnready;
    let readyLeft = sum([current, ...old].map(readyOf));
    for (const set of old) {
      const unready = Math.max(0, replicasOf(set) - readyOf(set));
      const clean = Math.min(unready, Math.max(0, spare));
      const ready = Math.min(
        replicasOf(set) - clean,
        readyOf(set),
        Math.max(0, spare - clean),
        Math.max(0, readyLeft - leastReady),
      );
      if (clean + ready > 0) this.scale(set, replicasOf(set) - clean - ready);
      spare -= clean + ready;
      readyLeft -= ready;
    }
  }

  private scale(set: ReplicaSetObject, replicas: number): void {
    if (replicasOf(set) === replicas) return;
    const { namespace, name } = set.metadata;
    this.world.store.update('ReplicaSet', namespace, name, (object) => ({
      ...object,
      spec: { ...object.spec, replicas },
    }));
  }

  private writeStatus(deployment: DeploymentObject, current: string, revision: string): void {
    const sets = this.ownSets(deployment);
    const status = {
      replicas: sum(sets.map((set) => set.status?.replicas ?? 0)),
      readyReplicas: sum(sets.map((set) => set.status?.readyReplicas ?? 0)),
      updatedReplicas: sets.find((set) => set.metadata.name === current)?.status?.replicas ?? 0,
      observedGeneration: deployment.metadata.generation ?? 1,
    };
    const old = deployment.status;
    const same =
      deployment.metadata.annotations?.[REVISION] === revision &&
      old?.replicas === status.replicas &&
      (old.readyReplicas ?? 0) === status.readyReplicas &&
      old.updatedReplicas === status.updatedReplicas &&
      old.observedGeneration === status.observedGeneration;
    if (same) return;
    const { namespace, name } = deployment.metadata;
    this.world.store.update('Deployment', namespace, name, (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, [REVISION]: revision },
      },
      status: { ...object.status, ...status },
    }));
  }

  private ownSets(deployment: DeploymentObject): ReplicaSetObject[] {
    const sets: ReplicaSetObject[] = [];
    for (const name of this.setsOf.get(deployment.metadata.uid ?? '') ?? []) {
      const set = this.world.store.get('ReplicaSet', deployment.metadata.namespace, name);
      if (set !== undefined) sets.push(set);
    }
    return sets;
  }

  private place(set: ReplicaSetObject): void {
    const owner = controllerOf(set);
    if (owner?.kind !== 'Deployment') return;
    let names = this.setsOf.get(owner.uid);
    if (names === undefined) this.setsOf.set(owner.uid, (names = new Set()));
    names.add(set.metadata.name);
  }
}

function bounds(
  deployment: DeploymentObject,
  wanted: number,
): { readonly surge: number; readonly unavailable: number } {
  const rolling = deployment.spec.strategy?.rollingUpdate;
  const surge = countOf(rolling?.maxSurge ?? '25%', wanted, 'up') ?? 0;
  const unavailable = countOf(rolling?.maxUnavailable ?? '25%', wanted, 'down') ?? 0;
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function wantedOf(deployment: DeploymentObject): number {
  return deployment.spec.replicas ?? 1;
}

function replicasOf(set: ReplicaSetObject): number {
  return set.spec.replicas ?? 1;
}

/** Its status may lag behind its scale: pods that are to go do not count. */
function readyOf(set: ReplicaSetObject): number {
  return Math.min(replicasOf(set), set.status?.readyReplicas ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
