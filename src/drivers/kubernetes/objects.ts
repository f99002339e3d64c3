/** Reads and writes of single objects: paths, patch types, and what each failure means for the caller. */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  EvictionAnswer,
  EvictOptions,
  ObjectAddress,
  PatchBody,
  PatchOptions,
  ReplaceOptions,
  WriteOptions,
} from '../../ports/index.ts';
import type { ApiClient, ApiRequest } from './api-client.ts';
import { type Kinds, notServed, pathOf } from './kinds.ts';
import { StatusError } from './status.ts';

const FIELD_MANAGER = 'regauge';

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
} as const;

export class Objects {
  private readonly client: ApiClient;
  private readonly kinds: Kinds;

  constructor(client: ApiClient, kinds: Kinds) {
    this.client = client;
    this.kinds = kinds;
  }

  async get(address: ObjectAddress, options: CallOptions = {}): Promise<unknown> {
    const place = await this.kinds.find(address.apiVersion, address.kind, options);
    if (place === undefined) return undefined;
    const path = pathOf(place, this.spaceOf(address), address.name);
    return this.client
      .json({ method: 'GET', path, isRepeatable: true, ...calls(options) })
      .catch(unlessMissing);
  }

  create(object: KubeObject, options: WriteOptions = {}): Promise<unknown> {
    return this.write(object, [], options, {
      method: 'POST',
      body: object,
      query: { fieldManager: FIELD_MANAGER, dryRun: dryRun(options) },
      isRepeatable: false,
    });
  }

  apply(object: KubeObject, options: ApplyOptions = {}): Promise<unknown> {
    const { force, fieldManager = FIELD_MANAGER } = options;
    const { managedFields: _, ...metadata } = object.metadata;
    return this.write(object, [object.metadata.name], options, {
      method: 'PATCH',
      // What is applied may not carry what others manage.
      body: { ...object, metadata },
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager, force, dryRun: dryRun(options) },
      isRepeatable: true,
    });
  }

  replace(object: KubeObject, options: ReplaceOptions = {}): Promise<unknown> {
    const { subresource } = options;
    const below = [object.metadata.name, ...(subresource === undefined ? [] : [subresource])];
    return this.write(object, below, options, {
      method: 'PUT',
      body: object,
      query: { fieldManager: FIELD_MANAGER, dryRun: dryRun(options) },
      // Without a version a lost answer might overwrite what came between.
      isRepeatable: object.metadata.resourceVersion !== undefined,
    });
  }

  patch(address: ObjectAddress, patch: PatchBody, options: PatchOptions = {}): Promise<unknown> {
    const { type = 'merge', subresource } = options;
    const below = [address.name, ...(subresource === undefined ? [] : [subresource])];
    return this.write(addressed(address), below, options, {
      method: 'PATCH',
      body: patch,
      contentType: PATCH_TYPES[type],
      query: { fieldManager: FIELD_MANAGER, dryRun: dryRun(options) },
      // Merging twice is merging once; operations of a JSON patch may add twice.
      isRepeatable: type !== 'json',
    });
  }

  async delete(address: ObjectAddress, options: DeleteOptions = {}): Promise<void> {
    const { gracePeriodSeconds, preconditions, propagationPolicy } = options;
    const place = await this.kinds.find(address.apiVersion, address.kind, options);
    if (place === undefined) return;
    await this.client
      .json({
        method: 'DELETE',
        path: pathOf(place, this.spaceOf(address), address.name),
        // A server reads the options of a deletion from its body, and then none from the query.
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
          ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
          ...(preconditions === undefined ? {} : { preconditions }),
          ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
        },
        // A name may be taken again at once (a StatefulSet's pod): only this very object twice.
        isRepeatable: preconditions?.uid !== undefined,
        ...calls(options),
      })
      .catch(unlessMissing);
  }

  async evict(namespace: string, pod: string, options: EvictOptions): Promise<EvictionAnswer> {
    const { gracePeriodSeconds } = options;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/eviction`;
    const deleteOptions = {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
    };
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: pod, namespace },
      ...(Object.keys(deleteOptions).length === 0 ? {} : { deleteOptions }),
    };
    try {
      const request = { method: 'POST', path, body, isRepeatable: false, isFinal: isBudget };
      await this.client.json({ ...request, ...calls(options) });
      return { evicted: true };
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      const { message } = error;
      if (isBudget(error)) return { evicted: false, message, cause: 'budget' };
      if (isOverlap(error)) return { evicted: false, message, cause: 'budgets-overlap' };
      throw error;
    }
  }

  private async write(
    object: KubeObject,
    below: readonly string[],
    options: CallOptions,
    request: Omit<ApiRequest, 'path'>,
  ): Promise<unknown> {
    const { apiVersion, kind, metadata } = object;
    const place = await this.kinds.require(apiVersion, kind, options);
    const path = pathOf(place, this.spaceOf(metadata), ...below);
    try {
      return await this.client.json({ ...request, path, ...calls(options) });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // The server could not find the path itself, not the object.
      const isUnserved = error.httpStatus === 404 && error.status?.reason !== 'NotFound';
      if (isUnserved) throw notServed(apiVersion, kind);
      throw error.code === 'conflict' ? conflictOf(error) : error;
    }
  }

  private spaceOf({ namespace }: { readonly namespace?: string }): string {
    return namespace ?? this.client.parts.credentials.namespace;
  }
}

/** With the other manager's name, which the Status has in its causes. */
function conflictOf(error: StatusError): RegaugeError {
  const causes = (error.status?.causes ?? []).filter(
    ({ reason }) => reason === 'FieldManagerConflict',
  );
  if (causes.length === 0) {
    const hint = 'Somebody else changed it meanwhile: it is read again before the next attempt.';
    return new RegaugeError('conflict', error.message, { hint, cause: error });
  }
  const others = [...new Set(causes.map(({ message }) => message.replace(/^conflict with /, '')))];
  return new RegaugeError('conflict', error.message, {
    hint: `${others.join(' and ')} own${others.length === 1 ? 's' : ''} fields of it: have them changed there, or they will be put back.`,
    cause: error,
  });
}

function isBudget({ httpStatus, status }: StatusError): boolean {
  return (
    httpStatus === 429 &&
    status?.causes.some(({ reason }) => reason === 'DisruptionBudget') === true
  );
}

function isOverlap({ httpStatus, message }: StatusError): boolean {
  return httpStatus === 500 && /more than one PodDisruptionBudget/.test(message);
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof StatusError && error.httpStatus === 404) return undefined;
  throw error;
}

function dryRun({ dryRun: isDry }: WriteOptions): string | undefined {
  return isDry === true ? 'All' : undefined;
}

function addressed({ apiVersion, kind, ...metadata }: ObjectAddress): KubeObject {
  return { apiVersion, kind, metadata };
}

/** Signal and deadline alone. */
export function calls({ signal, deadlineMs }: CallOptions): CallOptions {
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}
