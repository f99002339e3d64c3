/** Requests about resources: which verb it is, and the answer in the form asked for. */
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { World } from '../../world.ts';
import type { WallClock } from '../pace.ts';
import { badRequest, methodNotAllowed, noSuchPath, notFound } from './api-error.ts';
import { type Form, formOf, json, patchTypeOf, readObject, readPatch } from './content.ts';
import type { ChangeHistory } from '../../store/change-history.ts';
import { type Listed, Lister } from './reads/list.ts';
import { terminateNamespace } from './writes/namespaces.ts';
import type { WireObjects } from './reads/objects.ts';
import { applyJsonPatch } from '../../api/writes/json-patch.ts';
import { applyStrategicMerge } from '../../api/writes/strategic-merge.ts';
import { mergePatch } from '../../api/writes/merge.ts';
import { mergeRulesOf } from '../../api/writes/write-rules.ts';
import { type PathTarget, resourceAt } from './requests.ts';
import type { Resource, ResourceRegistry } from '../../api/served-resources.ts';
import type { Tokens } from './reviews.ts';
import { scaleOf, withScale } from './writes/scale.ts';
import { selectionOf } from './reads/selection.ts';
import { logResponse } from './reads/pod-log.ts';
import { orphanDependents } from './writes/orphan-dependents.ts';
import { bind, evict, success } from './writes/subresources.ts';
import { unserved } from './unserved.ts';
import { metadataText, tableText } from './tables/printers.ts';
import {
  isMap,
  listOf,
  mapOf,
  numberOf,
  textOf,
  type Tree,
  valueAt,
} from '../../../base/json-tree.ts';
import { isTrue, watchStream } from './reads/watch.ts';
import { type Change, Writer, type WriteOptions, type WriteTarget } from './writes/writes.ts';

export interface HandlerParts {
  readonly world: World;
  readonly registry: ResourceRegistry;
  readonly objects: WireObjects;
  readonly history: ChangeHistory;
  readonly tokens: Tokens;
  readonly clock: WallClock;
}

interface Call {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly target: PathTarget;
  readonly resource: Resource;
  /** For the `Warning` headers of the answer. */
  readonly warnings: string[];
}

export class ResourceHandler {
  private readonly parts: HandlerParts;
  private readonly writer: Writer;
  private readonly lister: Lister;

  constructor(parts: HandlerParts) {
    this.parts = parts;
    this.writer = new Writer(parts.world);
    this.lister = new Lister(parts.objects, parts.history);
  }

  async handle(request: Request, target: PathTarget): Promise<Response> {
    const resource = resourceAt(this.parts.registry, target);
    const query = new URL(request.url).searchParams;
    const call: Call = { request, query, target, resource, warnings: [] };
    const response = await this.dispatch(call);
    for (const warning of call.warnings)
      response.headers.append('warning', `299 - ${JSON.stringify(warning)}`);
    return response;
  }

  private async dispatch(call: Call): Promise<Response> {
    const { request, query, target } = call;
    if (target.subresource !== undefined) return this.subresource(call);
    switch (request.method) {
      case 'GET':
        if (isTrue(query.get('watch')) || target.name === '') return this.collection(call);
        return this.one(call, this.found(call));
      case 'POST':
        if (target.name !== '') throw methodNotAllowed();
        return this.create(call);
      case 'PUT':
        return this.one(call, await this.put(call));
      case 'PATCH':
        return this.patch(call);
      case 'DELETE':
        return target.name === '' ? this.deleteAll(call) : this.delete(call);
      default:
        throw methodNotAllowed();
    }
  }

  // ------------------------------------------------------------ reading

  private found({ resource, target }: Call): KubeObject {
    const object = this.parts.objects.get(resource, target.namespace, target.name);
    if (object === undefined) throw notFound(resource, target.name);
    return object;
  }

  private one({ request, query, resource }: Call, object: KubeObject, status = 200): Response {
    const form = formOf(request, query);
    const shown = this.parts.objects.show(resource, object);
    switch (form.kind) {
      case 'object':
        return json(this.parts.objects.text(resource, object), status);
      case 'metadata':
        return json(metadataText(shown), status);
      case 'table': {
        const { resourceVersion } = shown.metadata;
        const table = { resource, include: form.include, now: this.now() };
        return json(tableText(table, [shown], { resourceVersion }), status);
      }
    }
  }

  private collection(call: Call): Response {
    const { request, query, target, resource } = call;
    const form = formOf(request, query);
    const fields = target.name === '' ? query : withField(query, `metadata.name=${target.name}`);
    const selection = selectionOf(resource, fields);
    const wanted = { resource, namespace: target.namespace, query, selection };
    if (!isTrue(query.get('watch'))) return this.listed(resource, form, this.lister.list(wanted));
    const { objects, history, clock } = this.parts;
    const source = {
      history: history.of(resource.storedKind),
      resourceVersion: objects.versionOf(resource),
      present: () => objects.list(resource, target.namespace).items,
      encode: (object: KubeObject) => this.encoded(resource, form, object),
      encodeBookmark: (version: string, isEnd: boolean) => bookmark(resource, version, isEnd),
      clock,
    };
    return new Response(watchStream(source, wanted), {
      headers: { 'content-type': 'application/json', 'cache-control': 'no-cache, private' },
    });
  }

  private listed(resource: Resource, form: Form, list: Listed): Response {
    const { objects } = this.parts;
    const metadata: Tree = {
      resourceVersion: list.resourceVersion,
      ...(list.continueToken === undefined ? {} : { continue: list.continueToken }),
      ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
    };
    if (form.kind === 'table') {
      const shown = list.items.map((object) => objects.show(resource, object));
      const table = { resource, include: form.include, now: this.now() };
      return json(tableText(table, shown, metadata));
    }
    const isMetadata = form.kind === 'metadata';
    const items = list.items.map((object) =>
      isMetadata ? metadataText(objects.show(resource, object)) : objects.text(resource, object),
    );
    const kind = isMetadata ? 'PartialObjectMetadataList' : `${resource.kind}List`;
    const apiVersion = isMetadata ? 'meta.k8s.io/v1' : resource.apiVersion;
    const head = JSON.stringify({ kind, apiVersion, metadata });
    return json(`${head.slice(0, -1)},"items":[${items.join(',')}]}`);
  }

  private encoded(resource: Resource, form: Form, object: KubeObject): string {
    const { objects } = this.parts;
    if (form.kind === 'object') return objects.text(resource, object);
    const shown = objects.show(resource, object);
    if (form.kind === 'metadata') return metadataText(shown);
    const { resourceVersion } = shown.metadata;
    const table = { resource, include: form.include, now: this.now() };
    return tableText(table, [shown], { resourceVersion });
  }

  private now(): number {
    const { kernel } = this.parts.world;
    return kernel.epochMs + kernel.now();
  }

  // ------------------------------------------------------------ writing

  private async create(call: Call): Promise<Response> {
    const { request, resource, target } = call;
    const sent = await readObject(request);
    const namespace = resource.namespaced
      ? (target.namespace ?? (textOf(valueAt(sent, 'metadata', 'namespace')) || 'default'))
      : undefined;
    const at: WriteTarget = { resource, namespace, name: '' };
    const object = await this.writer.create(at, sent, optionsOf(call));
    return this.one(call, object, 201);
  }

  private async put(call: Call): Promise<KubeObject> {
    const sent = await readObject(call.request);
    const at = targetOf(call);
    const exists = this.writer.live(at) !== undefined;
    if (!exists && at.subresource === undefined && call.resource.kind === 'Lease')
      return this.writer.create(at, sent, optionsOf(call));
    return this.writer.change(at, () => sent, optionsOf(call));
  }

  private async patch(call: Call): Promise<Response> {
    const { request, query, resource } = call;
    const type = patchTypeOf(request);
    const patch = await readPatch(request, type);
    const at = targetOf(call);
    const options = optionsOf(call);
    if (type === 'apply') {
      if (!isMap(patch)) throw badRequest('the applied configuration is no object');
      if (query.get('fieldManager') === null)
        throw badRequest(
          'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        );
      const isNew = this.writer.live(at) === undefined;
      return this.one(call, await this.writer.apply(at, patch, options), isNew ? 201 : 200);
    }
    if (type === 'strategic' && resource.definition !== undefined) {
      patchTypeOf(new Request(request.url, { headers: { 'content-type': 'none' } }));
    }
    return this.one(
      call,
      await this.writer.change(at, this.patched(resource, type, patch), options),
    );
  }

  private patched(
    resource: Resource,
    type: 'json' | 'merge' | 'strategic',
    patch: unknown,
  ): Change {
    return (live) => {
      switch (type) {
        case 'json':
          return mapOf(applyJsonPatch(live, patch));
        case 'merge':
          return mapOf(mergePatch(live, patch));
        case 'strategic':
          return mapOf(applyStrategicMerge(live, patch, mergeRulesOf(resource)));
      }
    };
  }

  private async delete(call: Call): Promise<Response> {
    const { request, resource, target } = call;
    const sent = await readObject(request);
    const object = await this.deleteOne(call, sent, target.name, target.namespace);
    const left = this.writer.live(targetOf(call));
    const isGone = left?.metadata.uid !== object.metadata.uid;
    // Pods are answered with themselves, and so is what still waits for something.
    if (!isGone || resource.kind === 'Pod') return this.one(call, object);
    return json(JSON.stringify(success({ resource, object })));
  }

  private async deleteAll(call: Call): Promise<Response> {
    const { request, query, target, resource } = call;
    const sent = await readObject(request);
    const selection = selectionOf(resource, query);
    const list = this.lister.list({ resource, namespace: target.namespace, query, selection });
    for (const { metadata } of list.items)
      await this.deleteOne(call, sent, metadata.name, metadata.namespace);
    return this.listed(resource, { kind: 'object' }, list);
  }

  private async deleteOne(
    { resource, query }: Call,
    sent: Tree,
    name: string,
    namespace: string | undefined,
  ): Promise<KubeObject> {
    const { world, registry } = this.parts;
    const target: WriteTarget = { resource, namespace, name };
    const policy = query.get('propagationPolicy') ?? textOf(sent['propagationPolicy']);
    const isDry = query.getAll('dryRun').includes('All') || listOf(sent['dryRun']).includes('All');
    const grace = numberOf(sent['gracePeriodSeconds']) ?? graceOf(query);
    const isOrphaning = policy === 'Orphan' || sent['orphanDependents'] === true;
    if (isOrphaning && !isDry) orphanDependents(world, this.writer.live(target)?.metadata.uid);
    const live = this.writer.live(target);
    const isNamespace = resource.kind === 'Namespace' && resource.group === '';
    if (isNamespace && live !== undefined) {
      if (!isDry && live.metadata.deletionTimestamp === undefined)
        world.kernel.because([], () => terminateNamespace(world, name, () => registry.all()));
      return this.writer.live(target) ?? live;
    }
    return this.writer.delete(target, {
      preconditions: mapOf(sent['preconditions']),
      dryRun: isDry,
      ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    });
  }

  // ------------------------------------------------------------ subresources

  private async subresource(call: Call): Promise<Response> {
    const { request, query, target, resource } = call;
    const { subresource = '', name } = target;
    const { world, tokens } = this.parts;
    const namespace = target.namespace ?? 'default';
    const known = resource.subresources.includes(subresource);
    if (!known) throw noSuchPath();
    if (subresource === 'status') {
      if (request.method === 'GET') return this.one(call, this.found(call));
      if (request.method === 'PUT') return this.one(call, await this.put(call));
      return this.patch(call);
    }
    if (subresource === 'scale') return this.scale(call);
    if (resource.kind === 'ServiceAccount' && subresource === 'token') {
      this.found(call);
      return answer(tokens.issue(namespace, name, await readObject(request)), 201);
    }
    if (resource.kind === 'Namespace') return this.one(call, this.found(call));
    if (resource.kind !== 'Pod') throw unserved(subresource);
    const pod = { resource, namespace, name };
    switch (subresource) {
      case 'eviction':
        return answer(evict(world, pod, await readObject(request)), 201);
      case 'binding':
        return answer(bind(world, pod, await readObject(request)), 201);
      case 'log':
        return logResponse(world, pod, query);
      default:
        this.found(call);
        throw subresource === 'exec'
          ? badRequest('Upgrade request required')
          : unserved(subresource);
    }
  }

  private async scale(call: Call): Promise<Response> {
    const { request, resource } = call;
    const live = this.found(call);
    if (request.method === 'GET') return answer(scaleOf(resource, live), 200);
    const at: WriteTarget = { ...targetOf(call), subresource: 'scale' };
    const now = scaleOf(resource, live);
    let wanted: Tree;
    if (request.method === 'PUT') wanted = await readObject(request);
    else {
      const type = patchTypeOf(request);
      const patch = await readPatch(request, type);
      wanted = type === 'json' ? mapOf(applyJsonPatch(now, patch)) : mapOf(mergePatch(now, patch));
    }
    const { subresource: _scale, ...whole } = at;
    const expected = textOf(valueAt(wanted, 'metadata', 'resourceVersion'));
    const object = await this.writer.change(whole, (old) => withScale(resource, old, wanted), {
      ...optionsOf(call),
      through: 'scale',
      ...(expected === '' ? {} : { expected }),
    });
    return answer(scaleOf(resource, object), 200);
  }
}

function answer(value: object, status: number): Response {
  return json(JSON.stringify(value), status);
}

function targetOf({ resource, target }: Call): WriteTarget {
  const { namespace, name, subresource } = target;
  return { resource, namespace, name, ...(subresource === undefined ? {} : { subresource }) };
}

function optionsOf({ request, query, warnings }: Call): WriteOptions {
  const agent = (request.headers.get('user-agent') ?? 'unknown').split('/')[0] ?? 'unknown';
  return {
    fieldManager: query.get('fieldManager') ?? agent,
    dryRun: query.getAll('dryRun').includes('All'),
    force: isTrue(query.get('force')),
    fieldValidation: query.get('fieldValidation'),
    warn: (warning) => warnings.push(warning),
  };
}

function withField(query: URLSearchParams, field: string): URLSearchParams {
  const result = new URLSearchParams(query);
  const before = query.get('fieldSelector');
  result.set('fieldSelector', before === null || before === '' ? field : `${before},${field}`);
  return result;
}

function graceOf(query: URLSearchParams): number | undefined {
  const text = query.get('gracePeriodSeconds');
  return text === null || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** An object of the kind that says how far the watch has come. */
function bookmark({ apiVersion, kind }: Resource, resourceVersion: string, isEnd: boolean): string {
  const annotations = isEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion, creationTimestamp: null, ...annotations };
  return JSON.stringify({ kind, apiVersion, metadata });
}
