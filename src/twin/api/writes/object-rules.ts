/**
 * What the API server makes of an object that somebody writes, before it stores it (KK
 * apiserver/pkg/registry/rest/{create,update}.go and pkg/registry/core strategies): what only the
 * server sets stays, status and specification have doors of their own, the version that was read must
 * be the one that is there, and what is going takes no new finalizers.
 */
import { isDeepStrictEqual } from 'node:util';
import { RegaugeError } from '../../../base/errors.ts';
import {
  type ApiResource,
  BUILT_IN_RESOURCES,
  pluralOf,
} from '../../../knowledge/api-resources.ts';
import type { KubeObject, ObjectMeta } from '../../../model/kubernetes.ts';
import type { Tree } from '../../../base/json-tree.ts';
import { MergeRules } from './list-types.ts';
import { afterUpdate, applied, type Writing } from './managed-fields.ts';

export interface Writer {
  readonly manager: string;
  readonly time: string;
  readonly subresource?: string;
}

export interface ApplyOptions extends Writer {
  readonly force: boolean;
}

type WithParts = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

const BY_KIND = new Map<string, ApiResource>(
  BUILT_IN_RESOURCES.map((resource) => [`${resource.apiVersion}/${resource.kind}`, resource]),
);

/** A new object as it is stored. */
export function createdObject(given: KubeObject, writer: Writer): KubeObject {
  if (given.metadata.resourceVersion !== undefined && given.metadata.resourceVersion !== '') {
    throw new RegaugeError('refused', 'resourceVersion should not be set on objects to be created');
  }
  return updated(undefined, beginning(given), writer);
}

/** The object after a replacement or a patch; the same object when nothing changes. */
export function updatedObject(live: KubeObject, next: KubeObject, writer: Writer): KubeObject {
  requireVersion(live, next.metadata);
  const object = settled(live, next, writer.subresource);
  return object === live ? live : updated(live, object, writer);
}

/** The object after a server-side apply. */
export function appliedObject(
  live: KubeObject | undefined,
  given: KubeObject,
  options: ApplyOptions,
): KubeObject {
  if (live === undefined) return begunBy(appliedTo(undefined, beginning(given), options), given);
  requireVersion(live, given.metadata);
  const { resourceVersion: _, ...metadata } = given.metadata;
  const whole: WithParts = { ...given, metadata };
  const { status: __, ...rest } = whole;
  const isApart = hasStatusDoor(given) && options.subresource === undefined;
  const next = appliedTo(live, isApart ? rest : whole, options);
  if (isDeepStrictEqual(next, live)) return live;
  const object = settled(live, next, options.subresource);
  const { managedFields } = next.metadata;
  if (managedFields === undefined) return object;
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Lists of custom kinds are whole unless their definition says otherwise, which is not read here. */
export function mergeRulesOf(apiVersion: string): MergeRules {
  const isBuiltIn = !apiVersion.includes('.') || /\.k8s\.io\//.test(apiVersion);
  return isBuiltIn ? BUILT_IN_RULES : CUSTOM_RULES;
}

const BUILT_IN_RULES = new MergeRules();
const CUSTOM_RULES = new MergeRules({});

function appliedTo(
  live: KubeObject | undefined,
  given: KubeObject,
  options: ApplyOptions,
): KubeObject {
  // Objects that were read of files have no owners; whose they are is not known.
  const applying = { ...writingOf(given, options), force: options.force, ownersUnread: true };
  return objectOf(applied(live === undefined ? undefined : treeOf(live), treeOf(given), applying));
}

/**
 * What a create, update or patch changed is its writer's. An object that nobody ever applied, and
 * that came without owners, keeps none: a rehearsal of old objects pays nothing.
 */
function updated(live: KubeObject | undefined, next: KubeObject, writer: Writer): KubeObject {
  if (live !== undefined && live.metadata.managedFields === undefined) return next;
  const before = live === undefined ? undefined : treeOf(live);
  return objectOf(afterUpdate(before, treeOf(next), writingOf(next, writer)));
}

function writingOf(object: KubeObject, { manager, time, subresource }: Writer): Writing {
  const { apiVersion } = object;
  return {
    rules: mergeRulesOf(apiVersion),
    manager: {
      name: manager,
      apiVersion,
      time,
      ...(subresource === undefined ? {} : { subresource }),
    },
    ignoresStatus: hasStatusDoor(object) && subresource !== 'status',
  };
}

function treeOf(object: KubeObject): Tree {
  return { ...object };
}

/** What is made of an object and parts of its kind is one of that kind. */
function objectOf(tree: Tree): KubeObject {
  return tree as unknown as KubeObject;
}

/** `deployments.apps "web"`, as the server speaks of objects. */
export function qualified(apiVersion: string, kind: string, name: string): string {
  const plural = BY_KIND.get(`${apiVersion}/${kind}`)?.plural ?? pluralOf(kind);
  const [group = ''] = apiVersion.includes('/') ? apiVersion.split('/') : [];
  return `${plural}${group === '' ? '' : `.${group}`} "${name}"`;
}

export function requireVersion(
  { apiVersion, kind, metadata: live }: KubeObject,
  { resourceVersion, uid }: Pick<ObjectMeta, 'resourceVersion' | 'uid'>,
): void {
  const cannot = `Operation cannot be fulfilled on ${qualified(apiVersion, kind, live.name)}`;
  if (uid !== undefined && uid !== '' && uid !== live.uid) {
    const message = `${cannot}: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.uid ?? ''}`;
    throw new RegaugeError('conflict', message);
  }
  if (resourceVersion === undefined || resourceVersion === '') return;
  if (resourceVersion === live.resourceVersion) return;
  throw new RegaugeError(
    'conflict',
    `${cannot}: the object has been modified; please apply your changes to the latest version and try again`,
  );
}

function hasStatusDoor({ apiVersion, kind }: KubeObject): boolean {
  return BY_KIND.get(`${apiVersion}/${kind}`)?.subresources.includes('status') === true;
}

/** An apply says nothing of a status; the kind begins it, as with any new object. */
function begunBy(applied: KubeObject, given: KubeObject): KubeObject {
  const { status }: WithParts = beginning(given);
  const whole: WithParts = { ...applied, status };
  return hasStatusDoor(given) ? whole : applied;
}

/** Without what only the server gives, and with the status that new objects have. */
function beginning(given: KubeObject): KubeObject {
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
  if (!hasStatusDoor(given)) return object;
  const status = given.kind === 'Pod' ? { phase: 'Pending' } : {};
  const whole: WithParts = { ...object, status };
  return given.kind === 'Node' ? withSpec(whole) : whole;
}

function withSpec(object: WithParts): WithParts {
  return { ...object, spec: object.spec ?? {} };
}

/** The next version with what stays; parts that are as they were are the same. */
function settled(live: WithParts, next: WithParts, subresource: string | undefined): KubeObject {
  const isStatus = subresource === 'status';
  const chosen: WithParts = isStatus ? { ...live, status: next.status } : next;
  const metadata = isStatus ? live.metadata : metadataAfter(live, next.metadata);
  const object: Record<string, unknown> = { ...chosen, apiVersion: live.apiVersion, metadata };
  if (!isStatus && hasStatusDoor(live)) object['status'] = live.status;
  for (const key of ['spec', 'status'] as const) {
    if (object[key] === undefined) Reflect.deleteProperty(object, key);
    else if (isDeepStrictEqual(object[key], live[key])) object[key] = live[key];
  }
  // Its parts are those of an object of this kind.
  return isDeepStrictEqual(object, live) ? live : (object as unknown as KubeObject);
}

function metadataAfter({ metadata: live }: KubeObject, next: ObjectMeta): ObjectMeta {
  const result: Record<string, unknown> = { ...next };
  for (const key of SERVER_OWNED) {
    if (live[key] === undefined) Reflect.deleteProperty(result, key);
    else result[key] = live[key];
  }
  const metadata = result as unknown as ObjectMeta; // a name is among what was kept
  if (live.deletionTimestamp !== undefined) refuseNewFinalizers(live, metadata);
  return metadata;
}

const SERVER_OWNED = [
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
] as const;

function refuseNewFinalizers(live: ObjectMeta, next: ObjectMeta): void {
  const known = new Set(live.finalizers);
  const added = (next.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
  if (added.length === 0) return;
  const list = added.map((finalizer) => `"${finalizer}"`).join(', ');
  throw new RegaugeError(
    'refused',
    `metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
  );
}
