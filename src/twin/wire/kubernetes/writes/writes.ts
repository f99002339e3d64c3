/**
 * Create, update, patch, apply and delete as the API server does them: admission, optimistic
 * concurrency, managed fields, dry runs. What did not change keeps its identity in the store, so that
 * a write of nothing is none.
 */
import { showReference } from '../../../../base/source.ts';
import type { KubeObject } from '../../../../model/kubernetes.ts';
import type { World } from '../../../world.ts';
import { ApiError, badRequest, notFound } from '../api-error.ts';
import { alreadyExists, conflict } from '../../../api/writes/write-refusal.ts';
import {
  hasStatus,
  keptMetadata,
  mergeRulesOf,
  refuseVersion,
  requireMeant,
  requirePreconditions,
} from '../../../api/writes/write-rules.ts';
import { afterUpdate, applied, type Manager } from '../../../api/writes/managed-fields.ts';
import { checkType, fittingObject } from './field-check.ts';
import type { MergeRules } from '../../../api/writes/list-types.ts';
import { prepareForCreate, prepareForUpdate } from './prepare.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { mapOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import { shareUnchanged, without } from '../../../api/tree.ts';
import { validate } from './validation.ts';

export interface WriteTarget {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  /** `status`: only that is written, and the rest left. */
  readonly subresource?: string;
}

export interface WriteOptions {
  /** `Strict`, `Warn` (when null), `Ignore`. */
  readonly fieldValidation: string | null;
  /** Hears of what is stored without, or otherwise than sent. */
  readonly warn: (warning: string) => void;
  readonly fieldManager: string;
  /** The subresource that the fields were written through, where it is not the target's own. */
  readonly through?: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}

/** What is to become of the live object. */
export type Change = (live: Tree) => Tree;

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

export class Writer {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  async create(target: WriteTarget, sent: Tree, options: WriteOptions): Promise<KubeObject> {
    const { resource } = target;
    const named = this.fitting(resource, this.named(target, sent), options);
    refuseVersion(named);
    const name = textOf(valueAt(named, 'metadata', 'name'));
    const at = { ...target, name };
    this.requireNamespace(at);
    if (this.live(at) !== undefined) throw alreadyExists(resource, name);
    const full = prepareForCreate(this.world, resource, named);
    validate(resource, full);
    await this.admit('CREATE', at, full);
    if (this.live(at) !== undefined) throw alreadyExists(resource, name);
    const owned = afterUpdate(undefined, full, this.writing(at, options));
    return this.store(at, owned, options);
  }

  /** PUT and every patch; `expected` is the version the client has seen, where it says so. */
  async change(
    target: WriteTarget,
    change: Change,
    options: WriteOptions & { readonly expected?: string },
  ): Promise<KubeObject> {
    const { resource, name } = target;
    if (this.live(target) === undefined) throw notFound(resource, name);
    await this.admit('UPDATE', target, mapOf(this.live(target)));
    const live = this.live(target);
    if (live === undefined) throw notFound(resource, name);
    const old = mapOf(live);
    const changed = this.fitting(resource, change(old), options, old);
    const { uid, resourceVersion } = mapOf(changed['metadata']);
    const seen = options.expected ?? resourceVersion;
    requireMeant(resource, live, { uid, resourceVersion: seen });
    const next = this.nextOf(target, old, changed);
    const owned = isSame(old, next) ? next : afterUpdate(old, next, this.writing(target, options));
    return this.replace(target, live, owned, options);
  }

  /** Server-side apply. */
  async apply(target: WriteTarget, sent: Tree, options: WriteOptions): Promise<KubeObject> {
    const { resource, name, subresource } = target;
    const given = this.fitting(resource, this.named(target, sent), options);
    if (valueAt(given, 'metadata', 'managedFields') !== undefined)
      throw badRequest('metadata.managedFields must be nil');
    const live = this.live(target);
    const writing = { ...this.writing(target, options), force: options.force };
    if (live === undefined) {
      if (subresource !== undefined) throw notFound(resource, name);
      if (textOf(valueAt(given, 'metadata', 'uid')) !== '') throw conflict(resource, name);
      this.requireNamespace(target);
      const full = prepareForCreate(this.world, resource, applied(undefined, given, writing));
      validate(resource, full);
      await this.admit('CREATE', target, full);
      return this.store(target, full, options);
    }
    await this.admit('UPDATE', target, mapOf(live));
    requireMeant(resource, live, mapOf(given['metadata']));
    const old = mapOf(live);
    const next = this.nextOf(target, old, applied(old, given, writing));
    return this.replace(target, live, next, options);
  }

  async delete(
    target: WriteTarget,
    request: {
      readonly gracePeriodSeconds?: number;
      readonly preconditions: Tree;
      readonly dryRun: boolean;
    },
  ): Promise<KubeObject> {
    const { resource, namespace, name } = target;
    const found = this.live(target);
    if (found === undefined) throw notFound(resource, name);
    await this.admit('DELETE', target, mapOf(found));
    const live = this.live(target);
    if (live === undefined) throw notFound(resource, name);
    requirePreconditions(resource, live, request.preconditions);
    if (request.dryRun) return live;
    const { store, kernel } = this.world;
    kernel.because([], () => {
      this.note('deleted', target);
      // A forced deletion does not wait for the kubelet, but still for finalizers.
      store.delete(resource.storedKind, namespace, name, request.gracePeriodSeconds);
    });
    return this.live(target) ?? live;
  }

  live({ resource, namespace, name }: WriteTarget): KubeObject | undefined {
    return this.world.store.get<string>(resource.storedKind, namespace, name);
  }

  private fitting(resource: Resource, sent: Tree, options: WriteOptions, old?: Tree): Tree {
    return fittingObject(resource, sent, {
      ...options,
      old,
      version: this.world.versions.kubernetes,
    });
  }

  /** The next version, whoever wants what of it changed. */
  private nextOf(target: WriteTarget, old: Tree, changed: Tree): Tree {
    const { resource, subresource } = target;
    const metadata = keptMetadata(resource, old, changed);
    if (subresource === 'status') {
      const before = mapOf(old['metadata']);
      const { managedFields } = metadata;
      const kept = managedFields === undefined ? before : { ...before, managedFields };
      return { ...old, metadata: kept, status: changed['status'] ?? {} };
    }
    const whole = { ...changed, metadata, apiVersion: old['apiVersion'], kind: old['kind'] };
    const next = prepareForUpdate(this.world, resource, { old, changed: whole });
    validate(resource, next, old);
    return next;
  }

  private replace(
    { resource, namespace, name, subresource }: WriteTarget,
    live: KubeObject,
    next: Tree,
    { dryRun }: WriteOptions,
  ): KubeObject {
    // Still an object of its kind: name, kind and version are those of the live one.
    const shared = shareUnchanged(live, next) as KubeObject;
    if (shared === live || dryRun) return shared;
    const { store, kernel } = this.world;
    return kernel.because([], () => {
      if (subresource === undefined) this.note('changed', { resource, namespace, name });
      return store.update<string>(resource.storedKind, namespace, name, () => shared) ?? shared;
    });
  }

  private store(target: WriteTarget, full: Tree, { dryRun }: WriteOptions): KubeObject {
    const { resource, namespace, name } = target;
    const metadata = without(mapOf(full['metadata']), 'resourceVersion', 'deletionTimestamp');
    const object: KubeObject & Tree = {
      ...full,
      apiVersion: resource.apiVersion,
      kind: resource.storedKind,
      metadata: { ...metadata, name, ...(namespace === undefined ? {} : { namespace }) },
    };
    if (dryRun) {
      const uid = textOf(metadata['uid']) || this.world.store.nextUid();
      const creationTimestamp = this.world.store.timestamp();
      return { ...object, metadata: { ...object.metadata, uid, creationTimestamp } };
    }
    const { store, kernel } = this.world;
    return kernel.because([], () => {
      this.note('created', target);
      return store.create<KubeObject>(object);
    });
  }

  private named({ resource, namespace, name }: WriteTarget, sent: Tree): Tree {
    checkType(resource, sent);
    const metadata = mapOf(sent['metadata']);
    const told = textOf(metadata['namespace']);
    if (namespace !== undefined && told !== '' && told !== namespace) {
      throw badRequest(
        `the namespace of the provided object does not match the namespace sent on the request`,
      );
    }
    const own = textOf(metadata['name']) || name;
    if (name !== '' && own !== name) {
      throw badRequest(
        `the name of the object (${own}) does not match the name on the URL (${name})`,
      );
    }
    const prefix = textOf(metadata['generateName']);
    return {
      ...sent,
      metadata: {
        ...metadata,
        name: own === '' && prefix !== '' ? this.generated(prefix) : own,
        ...(namespace === undefined ? {} : { namespace }),
      },
    };
  }

  private generated(prefix: string): string {
    const random = this.world.kernel.random;
    let name = prefix;
    for (let index = 0; index < 5; index += 1)
      name += ALPHABET[random.between(0, ALPHABET.length - 1)];
    return name;
  }

  private requireNamespace({ resource, namespace, name }: WriteTarget): void {
    if (namespace === undefined) return;
    const found = this.world.store.get<string>('Namespace', undefined, namespace);
    if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const message = `${resource.plural} "${name}" is forbidden: ${why}`;
    throw new ApiError(403, 'Forbidden', message, {
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    });
  }

  /** Webhooks that time out cost virtual time; what they refuse is answered in their words. */
  private async admit(
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    { resource, namespace }: WriteTarget,
    object: Tree,
  ): Promise<void> {
    const { api, kernel } = this.world;
    const labels: Record<string, string> = {};
    for (const [key, value] of Object.entries(mapOf(valueAt(object, 'metadata', 'labels'))))
      labels[key] = String(value);
    const verdict = api.admit(operation, resource.kind, namespace, labels);
    if (verdict.delayMs !== undefined && verdict.delayMs > 0)
      await kernel.answer(verdict.delayMs, () => undefined);
    if (verdict.ok) return;
    throw new ApiError(500, 'InternalError', `Internal error occurred: ${verdict.message}`, {
      causes: [{ reason: 'InternalError', message: verdict.message }],
    });
  }

  private writing(
    { resource, subresource }: WriteTarget,
    { fieldManager, through }: WriteOptions,
  ): { rules: MergeRules; manager: Manager; ignoresStatus: boolean } {
    const isStatus = subresource === 'status';
    return {
      rules: mergeRulesOf(resource),
      manager: {
        name: fieldManager,
        apiVersion: resource.apiVersion,
        time: this.world.store.timestamp(),
        ...(isStatus ? { subresource } : {}),
        ...(through === undefined ? {} : { subresource: through }),
      },
      ignoresStatus: hasStatus(resource) && !isStatus,
    };
  }

  /** What a client did is where chains of causes begin; pods are too many, and their own story. */
  private note(what: 'created' | 'changed' | 'deleted', target: WriteTarget): void {
    const { resource, namespace, name } = target;
    if (resource.kind === 'Pod') return;
    const subject = {
      kind: resource.kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
    };
    this.world.kernel.occur(`client.object-${what}`, {
      subject,
      message: `a client ${what} ${showReference(subject)}`,
    });
  }
}

function isSame(old: Tree, next: Tree): boolean {
  return shareUnchanged(old, next) === old;
}
