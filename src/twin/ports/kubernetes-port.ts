/**
 * The Kubernetes API on the twin, as a client sees it: admission, apply, merge patch, graceful
 * deletion and eviction over the object store.
 */
import { RegaugeError } from '../../base/errors.ts';
import { showReference } from '../../base/source.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type {
  EvictionAnswer,
  KubernetesPort,
  ListOptions,
  ObjectAddress,
  PatchBody,
} from '../../ports/kubernetes.ts';
import type { World } from '../world.ts';
import { apiCall, apiWrite, type Write } from './calls.ts';
import { createContainerPort } from './kubernetes-containers.ts';
import { listedObjects } from './kubernetes-lists.ts';
import { createKubernetesReads } from './kubernetes-reads.ts';
import { createKubernetesWrites } from './kubernetes-writes.ts';
import { applyMerge, mergePatch } from './merge.ts';

export type EvictPod = (namespace: string, pod: string) => EvictionAnswer;

export function createKubernetesPort(world: World, evict: EvictPod): KubernetesPort {
  return {
    ...createKubernetesReads(world),
    ...createKubernetesWrites(world),
    ...createContainerPort(world),
    get: <T extends KubeObject>(address: ObjectAddress) =>
      apiCall(world, () => find<T>(world, address)),
    list: <T extends KubeObject>(_apiVersion: string, kind: string, options: ListOptions = {}) =>
      apiCall(world, () => listedObjects(world, kind, options) as readonly T[]),
    apply: <T extends KubeObject>(object: T) =>
      apiWrite(
        world,
        () => writeOf(world, object),
        () => applyObject(world, object),
      ),
    patch: <T extends KubeObject>(address: ObjectAddress, patch: PatchBody) =>
      apiWrite(
        world,
        () => changeOf(world, 'UPDATE', address),
        () => patchObject<T>(world, address, patch),
      ),
    delete: (address, options) =>
      apiWrite(
        world,
        () => changeOf(world, 'DELETE', address),
        () => deleteObject(world, address, options?.gracePeriodSeconds),
      ),
    evict: (namespace, pod) =>
      apiWrite(
        world,
        () => ({ operation: 'CREATE', kind: 'Eviction', namespace }),
        () => evict(namespace, pod),
      ),
  };
}

function writeOf(world: World, object: KubeObject): Write {
  const { namespace, labels } = object.metadata;
  const live = find(world, { ...object, name: object.metadata.name, namespace: namespace ?? '' });
  return {
    operation: live === undefined ? 'CREATE' : 'UPDATE',
    kind: object.kind,
    namespace,
    labels,
  };
}

/** Nothing is asked of admission for what is not there. */
function changeOf(
  world: World,
  operation: 'UPDATE' | 'DELETE',
  address: ObjectAddress,
): Write | undefined {
  const live = find(world, address);
  if (live === undefined) return undefined;
  return {
    operation,
    kind: address.kind,
    namespace: address.namespace,
    labels: live.metadata.labels,
  };
}

function find<T extends KubeObject>(
  world: World,
  { kind, namespace, name }: ObjectAddress,
): T | undefined {
  // The caller names the shape it expects of the kind, as with any typed client.
  return world.store.get(kind, namespace, name) as T | undefined;
}

function applyObject<T extends KubeObject>(world: World, object: T): T {
  const { namespace, name } = object.metadata;
  const isNew = find(world, { ...object, namespace: namespace ?? '', name }) === undefined;
  note(world, isNew ? 'created' : 'changed', { ...object, ...object.metadata });
  if (isNew) {
    return world.store.create(object);
  }
  const updated = world.store.update<string>(
    object.kind,
    namespace,
    name,
    // Merging keeps the shape: both sides are objects of this kind.
    (old) => applyMerge(old, object) as KubeObject,
  );
  return updated as T;
}

function patchObject<T extends KubeObject>(
  world: World,
  address: ObjectAddress,
  patch: PatchBody,
): T {
  if (find(world, address) === undefined) throw notFound(address);
  const { kind, namespace, name } = address;
  note(world, 'changed', address);
  // A merge patch of an object is an object of its kind.
  return world.store.update<string>(
    kind,
    namespace,
    name,
    (old) => mergePatch(old, patch) as KubeObject,
  ) as T;
}

function deleteObject(
  world: World,
  address: ObjectAddress,
  gracePeriodSeconds: number | undefined,
): void {
  if (find(world, address) === undefined) return;
  const { kind, namespace, name } = address;
  note(world, 'deleted', address);
  if (gracePeriodSeconds === 0) world.store.remove(kind, namespace, name);
  else world.store.delete(kind, namespace, name, gracePeriodSeconds);
}

/** What a person or a plan did is where chains of causes begin; pods are too many, and their own story. */
function note(world: World, what: 'created' | 'changed' | 'deleted', address: ObjectAddress): void {
  const { kind, namespace, name } = address;
  if (kind === 'Pod') return;
  const subject = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
  world.kernel.occur(`client.object-${what}`, {
    subject,
    message: `a client ${what} ${showReference(subject)}`,
  });
}

function notFound(address: ObjectAddress): RegaugeError {
  const { kind, namespace, name } = address;
  const reference = showReference({
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
  });
  return new RegaugeError('not-found', `${reference} not found`);
}
