/**
 * What the API server makes of an object that somebody writes in memory, before it stores it (KK
 * apiserver/pkg/registry/rest and pkg/registry/core strategies). Over the wire defaults are filled in
 * and fields looked at besides, since a person writes there; the rules of both are `write-rules.ts`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { Tree } from '../../../base/json-tree.ts';
import type { Resource } from '../served-resources.ts';
import { afterUpdate, applied, type Writing } from './managed-fields.ts';
import {
  hasStatus,
  keptMetadata,
  mergeRulesOf,
  refuseVersion,
  requireMeant,
} from './write-rules.ts';

export interface Writer {
  readonly manager: string;
  readonly time: string;
  readonly subresource?: string;
}

export interface ApplyOptions extends Writer {
  readonly force: boolean;
}

type WithParts = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

/** A new object as it is stored. */
export function createdObject(resource: Resource, given: KubeObject, writer: Writer): KubeObject {
  refuseVersion(treeOf(given));
  return updated(resource, undefined, beginning(resource, given), writer);
}

/** The object after a replacement or a patch; the same object when nothing changes. */
export function updatedObject(
  resource: Resource,
  live: KubeObject,
  next: KubeObject,
  writer: Writer,
): KubeObject {
  requireMeant(resource, live, next.metadata);
  const object = settled(resource, live, next, writer.subresource);
  return object === live ? live : updated(resource, live, object, writer);
}

/** The object after a server-side apply. */
export function appliedObject(
  resource: Resource,
  live: KubeObject | undefined,
  given: KubeObject,
  options: ApplyOptions,
): KubeObject {
  if (live === undefined)
    return begunBy(
      resource,
      appliedTo(resource, undefined, beginning(resource, given), options),
      given,
    );
  requireMeant(resource, live, given.metadata);
  const { resourceVersion: _, ...metadata } = given.metadata;
  const whole: WithParts = { ...given, metadata };
  const { status: __, ...rest } = whole;
  const isApart = hasStatus(resource) && options.subresource === undefined;
  const next = appliedTo(resource, live, isApart ? rest : whole, options);
  if (isDeepStrictEqual(next, live)) return live;
  const object = settled(resource, live, next, options.subresource);
  const { managedFields } = next.metadata;
  if (managedFields === undefined) return object;
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function appliedTo(
  resource: Resource,
  live: KubeObject | undefined,
  given: KubeObject,
  options: ApplyOptions,
): KubeObject {
  // Objects that were read of files have no owners; whose they are is not known.
  const applying = { ...writingOf(resource, options), force: options.force, ownersUnread: true };
  return objectOf(applied(live === undefined ? undefined : treeOf(live), treeOf(given), applying));
}

/**
 * What a create, update or patch changed is its writer's. An object that nobody ever applied, and
 * that came without owners, keeps none: a rehearsal of old objects pays nothing.
 */
function updated(
  resource: Resource,
  live: KubeObject | undefined,
  next: KubeObject,
  writer: Writer,
): KubeObject {
  if (live !== undefined && live.metadata.managedFields === undefined) return next;
  const before = live === undefined ? undefined : treeOf(live);
  return objectOf(afterUpdate(before, treeOf(next), writingOf(resource, writer)));
}

function writingOf(resource: Resource, { manager, time, subresource }: Writer): Writing {
  const { apiVersion } = resource;
  return {
    rules: mergeRulesOf(resource),
    manager: {
      name: manager,
      apiVersion,
      time,
      ...(subresource === undefined ? {} : { subresource }),
    },
    ignoresStatus: hasStatus(resource) && subresource !== 'status',
  };
}

function treeOf(object: KubeObject): Tree {
  return { ...object };
}

/** What is made of an object and parts of its kind is one of that kind. */
function objectOf(tree: Tree): KubeObject {
  return tree as unknown as KubeObject;
}

/** An apply says nothing of a status; the kind begins it, as with any new object. */
function begunBy(resource: Resource, applied: KubeObject, given: KubeObject): KubeObject {
  const { status }: WithParts = beginning(resource, given);
  const whole: WithParts = { ...applied, status };
  return hasStatus(resource) ? whole : applied;
}

/** Without what only the server gives, and with the status that new objects have. */
function beginning(resource: Resource, given: KubeObject): KubeObject {
  const {
    uid: _uid,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    managedFields: _managed,
    ...metadata
  } = given.metadata;
  const object: WithParts = { ...given, metadata };
  if (!hasStatus(resource)) return object;
  const status = given.kind === 'Pod' ? { phase: 'Pending' } : {};
  const whole: WithParts = { ...object, status };
  return given.kind === 'Node' ? withSpec(whole) : whole;
}

function withSpec(object: WithParts): WithParts {
  return { ...object, spec: object.spec ?? {} };
}

/** The next version with what stays; parts that are as they were are the same. */
function settled(
  resource: Resource,
  live: WithParts,
  next: WithParts,
  subresource: string | undefined,
): KubeObject {
  const isStatus = subresource === 'status';
  const chosen: WithParts = isStatus ? { ...live, status: next.status } : next;
  const metadata = isStatus ? live.metadata : metadataOf(resource, live, next);
  const object: Record<string, unknown> = { ...chosen, apiVersion: live.apiVersion, metadata };
  if (!isStatus && hasStatus(resource)) object['status'] = live.status;
  for (const key of ['spec', 'status'] as const) {
    if (object[key] === undefined) Reflect.deleteProperty(object, key);
    else if (isDeepStrictEqual(object[key], live[key])) object[key] = live[key];
  }
  // Its parts are those of an object of this kind.
  return isDeepStrictEqual(object, live) ? live : (object as unknown as KubeObject);
}

function metadataOf(
  resource: Resource,
  live: KubeObject,
  next: KubeObject,
): KubeObject['metadata'] {
  const kept = keptMetadata(resource, treeOf(live), treeOf(next));
  const { managedFields } = live.metadata;
  const { managedFields: _told, ...rest } = kept;
  // A name is among what was kept; whose fields are whose is not for the writer to say.
  return (managedFields === undefined
    ? rest
    : { ...rest, managedFields }) as unknown as KubeObject['metadata'];
}
