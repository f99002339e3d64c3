/**
 * Writes on the twin as a client sees them: admission, then the API's rules for the kind of write,
 * then the store. What was asked only as a question is answered and not stored.
 */
import { RegaugeError } from '../../base/errors.ts';
import { showReference } from '../../base/source.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type {
  ApplyOptions,
  DeleteOptions,
  EvictionAnswer,
  EvictOptions,
  KubernetesWrites,
  ObjectAddress,
  PatchBody,
  PatchOptions,
  ReplaceOptions,
  WriteOptions,
} from '../../ports/index.ts';
import { qualifiedName, requireResource, type Resource } from '../api/served-resources.ts';
import { appliedObject, createdObject, updatedObject } from '../api/writes/object-rules.ts';
import { alreadyExists } from '../api/writes/write-refusal.ts';
import { mergeRulesOf, requirePreconditions } from '../api/writes/write-rules.ts';
import { applyJsonPatch } from '../api/writes/json-patch.ts';
import { mergePatch } from '../api/writes/merge.ts';
import { applyStrategicMerge } from '../api/writes/strategic-merge.ts';
import type { World } from '../world.ts';
import { apiWrite, type Write } from './calls.ts';

export type EvictPod = (
  namespace: string,
  pod: string,
  gracePeriodSeconds?: number,
) => EvictionAnswer;

const FIELD_MANAGER = 'regauge';

export function createKubernetesWrites(world: World, evict: EvictPod): KubernetesWrites {
  return {
    create: <T extends KubeObject>(object: T, options?: WriteOptions) =>
      apiWrite(
        world,
        () => writeOf(object, 'CREATE'),
        () => created(world, object, options),
      ),
    apply: <T extends KubeObject>(object: T, options?: ApplyOptions) =>
      apiWrite(
        world,
        () => writeOf(object, liveOf(world, object) === undefined ? 'CREATE' : 'UPDATE'),
        () => applyObject(world, object, options),
      ),
    replace: <T extends KubeObject>(object: T, options?: ReplaceOptions) =>
      apiWrite(
        world,
        () => writeOf(object, 'UPDATE'),
        () => changed<T>(world, addressOf(object), () => object, options),
      ),
    patch: <T extends KubeObject>(
      address: ObjectAddress,
      patch: PatchBody,
      options?: PatchOptions,
    ) =>
      apiWrite(
        world,
        () => changeOf(world, 'UPDATE', address),
        () =>
          changed<T>(
            world,
            address,
            (live, resource) => patched(resource, live, patch, options?.type),
            options,
          ),
      ),
    delete: (address, options) =>
      apiWrite(
        world,
        () => changeOf(world, 'DELETE', address),
        () => deleteObject(world, address, options),
      ),
    evict: (namespace, pod, options) =>
      apiWrite(
        world,
        () => ({ operation: 'CREATE', kind: 'Eviction', namespace }),
        () => evicted(world, evict, namespace, pod, options),
      ),
  };
}

function writeOf(object: KubeObject, operation: Write['operation']): Write {
  const { namespace, labels } = object.metadata;
  return { operation, kind: object.kind, namespace, labels };
}

/** Nothing is asked of admission for what is not there. */
function changeOf(
  world: World,
  operation: 'UPDATE' | 'DELETE',
  address: ObjectAddress,
): Write | undefined {
  const live = find(world, address);
  return live === undefined ? undefined : writeOf(live, operation);
}

function find({ store }: World, { kind, namespace, name }: ObjectAddress): KubeObject | undefined {
  return store.get<string>(kind, namespace, name);
}

function liveOf(world: World, object: KubeObject): KubeObject | undefined {
  return find(world, addressOf(object));
}

function addressOf({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectAddress {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function created<T extends KubeObject>(world: World, object: T, options: WriteOptions = {}): T {
  const resource = requireResource(world.store, object);
  if (liveOf(world, object) !== undefined) throw alreadyExists(resource, object.metadata.name);
  // What the API makes of an object is of its kind.
  return stored(world, createdObject(resource, object, writerOf(world, {})) as T, options);
}

function stored<T extends KubeObject>(world: World, object: T, { dryRun }: WriteOptions): T {
  if (dryRun === true) return object;
  note(world, 'created', addressOf(object));
  return world.store.create(object);
}

function applyObject<T extends KubeObject>(world: World, object: T, options: ApplyOptions = {}): T {
  const { force = false, fieldManager = FIELD_MANAGER, dryRun } = options;
  const writer = { ...writerOf(world, {}), manager: fieldManager, force };
  const live = liveOf(world, object);
  const next = appliedObject(requireResource(world.store, object), live, object, writer) as T; // as above
  if (live === undefined) return stored(world, next, options);
  return dryRun === true ? next : update<T>(world, live, next);
}

function changed<T extends KubeObject>(
  world: World,
  address: ObjectAddress,
  change: (live: KubeObject, resource: Resource) => KubeObject,
  options: ReplaceOptions = {},
): T {
  const live = find(world, address);
  const resource = requireResource(world.store, address);
  if (live === undefined) throw notFound(resource, address.name);
  const next = updatedObject(resource, live, change(live, resource), writerOf(world, options));
  return options.dryRun === true ? (next as T) : update<T>(world, live, next);
}

/** The store replaces what is there by what was made of it just now. */
function update<T extends KubeObject>(world: World, live: KubeObject, next: KubeObject): T {
  const { kind, metadata } = live;
  note(world, 'changed', addressOf(live));
  return world.store.update<string>(kind, metadata.namespace, metadata.name, () => next) as T;
}

function patched(
  resource: Resource,
  live: KubeObject,
  patch: PatchBody,
  type: PatchOptions['type'] = 'merge',
): KubeObject {
  const result =
    type === 'json'
      ? applyJsonPatch(live, patch)
      : type === 'strategic'
        ? applyStrategicMerge(live, patch, mergeRulesOf(resource))
        : mergePatch(live, patch);
  return result as KubeObject; // a patched object is of its kind
}

function deleteObject(world: World, address: ObjectAddress, options: DeleteOptions = {}): void {
  const live = find(world, address);
  if (live === undefined) return;
  const { preconditions, gracePeriodSeconds, dryRun } = options;
  if (preconditions !== undefined)
    requirePreconditions(requireResource(world.store, address), live, preconditions);
  if (dryRun === true) return;
  const { kind, namespace, name } = address;
  note(world, 'deleted', address);
  world.store.delete(kind, namespace, name, gracePeriodSeconds);
}

function evicted(
  world: World,
  evict: EvictPod,
  namespace: string,
  pod: string,
  { gracePeriodSeconds, dryRun }: EvictOptions = {},
): EvictionAnswer {
  if (dryRun !== true) return evict(namespace, pod, gracePeriodSeconds);
  if (world.store.get('Pod', namespace, pod) !== undefined) return { evicted: true };
  throw notFound({ group: '', plural: 'pods' }, pod);
}

function writerOf(world: World, { subresource }: ReplaceOptions) {
  const time = world.store.timestamp();
  return { manager: FIELD_MANAGER, time, ...(subresource === undefined ? {} : { subresource }) };
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

function notFound(resource: Pick<Resource, 'group' | 'plural'>, name: string): RegaugeError {
  return new RegaugeError('not-found', `${qualifiedName(resource)} "${name}" not found`);
}
