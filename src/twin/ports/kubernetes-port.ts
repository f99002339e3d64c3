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
} from '../../ports/kubernetes.ts';
import type { World } from '../world.ts';
import { admitted, apiCall } from './calls.ts';
import { applyMerge, mergePatch } from './merge.ts';

export type EvictPod = (namespace: string, pod: string) => EvictionAnswer;

export function createKubernetesPort(world: World, evict: EvictPod): KubernetesPort {
  return {
    get: <T extends KubeObject>(address: ObjectAddress) =>
      apiCall(world, () => find<T>(world, address)),
    list: <T extends KubeObject>(_apiVersion: string, kind: string, options: ListOptions = {}) =>
      apiCall(world, () => listed(world, kind, options) as readonly T[]),
    apply: <T extends KubeObject>(object: T) => apiCall(world, () => applyObject(world, object)),
    patch: <T extends KubeObject>(
      address: ObjectAddress,
      patch: Readonly<Record<string, unknown>>,
    ) => apiCall(world, () => patchObject<T>(world, address, patch)),
    delete: (address, options) =>
      apiCall(world, () => deleteObject(world, address, options?.gracePeriodSeconds)),
    evict: (namespace, pod) =>
      apiCall(world, () => {
        admitted(world, 'CREATE', 'Eviction', namespace);
        return evict(namespace, pod);
      }),
  };
}

function find<T extends KubeObject>(
  world: World,
  { kind, namespace, name }: ObjectAddress,
): T | undefined {
  // The caller names the shape it expects of the kind, as with any typed client.
  return world.store.get(kind, namespace, name) as T | undefined;
}

function listed(world: World, kind: string, options: ListOptions): readonly KubeObject[] {
  const { namespace, nodeName, labelSelector } = options;
  const all: readonly KubeObject[] =
    kind === 'Pod' && nodeName !== undefined
      ? world.store.podsOn(nodeName)
      : world.store.list<string>(kind, namespace);
  const wanted = Object.entries(labelSelector ?? {});
  return all.filter(
    ({ metadata }) =>
      (namespace === undefined || metadata.namespace === namespace) &&
      wanted.every(([key, value]) => metadata.labels?.[key] === value),
  );
}

function applyObject<T extends KubeObject>(world: World, object: T): T {
  const { namespace, name } = object.metadata;
  if (find(world, { ...object, namespace: namespace ?? '', name }) === undefined) {
    admitted(world, 'CREATE', object.kind, namespace);
    return world.store.create(object);
  }
  admitted(world, 'UPDATE', object.kind, namespace);
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
  patch: Readonly<Record<string, unknown>>,
): T {
  if (find(world, address) === undefined) throw notFound(address);
  admitted(world, 'UPDATE', address.kind, address.namespace);
  const { kind, namespace, name } = address;
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
  admitted(world, 'DELETE', address.kind, address.namespace);
  const { kind, namespace, name } = address;
  if (gracePeriodSeconds === 0) world.store.remove(kind, namespace, name);
  else world.store.delete(kind, namespace, name, gracePeriodSeconds);
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
