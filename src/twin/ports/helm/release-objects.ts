/**
 * A release's objects on the cluster: created where missing, merged three ways where there, deleted
 * when rendered no more. An object that belongs to nobody or to another release is not taken over.
 */
import { RegaugeError } from '../../../base/errors.ts';
import { type KubeObject, objectKey } from '../../../model/kubernetes.ts';
import type { ReleaseRequest } from '../../../ports/helm.ts';
import type { World } from '../../world.ts';
import { admitted, type Cost } from '../calls.ts';
import { threeWayMerge } from '../../api/writes/merge.ts';

export interface ReleaseChange {
  readonly release: ReleaseRequest;
  readonly last: readonly KubeObject[];
  readonly next: readonly KubeObject[];
}

export function applyRelease(world: World, { last, next }: ReleaseChange, cost: Cost): void {
  const before = new Map(last.map((object) => [keyOf(object), object]));
  for (const object of next) applyObject(world, before.get(keyOf(object)), object, cost);
  const kept = new Set(next.map(keyOf));
  deleteObjects(
    world,
    last.filter((object) => !kept.has(keyOf(object))),
    cost,
  );
}

export function deleteObjects(world: World, objects: readonly KubeObject[], cost: Cost): void {
  for (const { kind, metadata } of objects) {
    if (world.store.get(kind, metadata.namespace, metadata.name) === undefined) continue;
    admitted(
      world,
      {
        operation: 'DELETE',
        kind,
        namespace: metadata.namespace,
        labels: metadata.labels,
      },
      cost,
    );
    world.store.delete(kind, metadata.namespace, metadata.name);
  }
}

function applyObject(
  world: World,
  last: KubeObject | undefined,
  next: KubeObject,
  cost: Cost,
): void {
  const { namespace, name } = next.metadata;
  const live: KubeObject | undefined = world.store.get<string>(next.kind, namespace, name);
  if (live === undefined) {
    admitted(
      world,
      {
        operation: 'CREATE',
        kind: next.kind,
        namespace,
        labels: next.metadata.labels,
      },
      cost,
    );
    world.store.create(next);
    return;
  }
  // Merging objects of one kind gives an object of that kind.
  const merged = threeWayMerge(last ?? {}, live, next) as KubeObject;
  if (merged === live) return;
  admitted(
    world,
    {
      operation: 'UPDATE',
      kind: next.kind,
      namespace,
      labels: next.metadata.labels,
    },
    cost,
  );
  world.store.update<string>(next.kind, namespace, name, () => merged);
}

/** Before anything is written: an object that is new to the release must not be another's. */
export function refuseForeign(world: World, { release, last, next }: ReleaseChange): void {
  const before = new Set(last.map(keyOf));
  for (const object of next)
    if (!before.has(keyOf(object))) refuseIfForeign(world, object, release);
}

/** `helm:pkg/action/validate.go`: the message of an object that Helm did not make. */
function refuseIfForeign(
  world: World,
  object: KubeObject,
  { release, namespace }: ReleaseRequest,
): void {
  const { name } = object.metadata;
  const live: KubeObject | undefined = world.store.get<string>(
    object.kind,
    object.metadata.namespace,
    name,
  );
  if (live === undefined) return;
  const owner = live.metadata.annotations?.['meta.helm.sh/release-name'];
  if (
    owner === release &&
    live.metadata.annotations?.['meta.helm.sh/release-namespace'] === namespace
  )
    return;
  const found =
    owner === undefined
      ? `missing key "meta.helm.sh/release-name": must be set to "${release}"`
      : `key "meta.helm.sh/release-name" must equal "${release}": current value is "${owner}"`;
  throw new RegaugeError(
    'refused',
    `Unable to continue with install: ${object.kind} "${name}" in namespace "${object.metadata.namespace ?? ''}" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: ${found}`,
  );
}

function keyOf(object: KubeObject): string {
  return `${object.kind} ${objectKey(object)}`;
}
