/**
 * Who owns which fields (`metadata.managedFields`), and what server-side apply makes of it
 * (KK apiserver/pkg/endpoints/handlers/fieldmanager; structured-merge-diff/merge/update.go): what
 * another manager owns and would change is a conflict; what a manager no longer applies goes, unless
 * another owns it too.
 */
import { isDeepStrictEqual } from 'node:util';
import { RegaugeError } from '../../../base/errors.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import {
  changedFields,
  childrenOf,
  type FieldSet,
  fieldsOf,
  isEmpty,
  isMap,
  shared,
  type Tree,
  union,
  without,
} from './field-set.ts';

interface Owner {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource: string | undefined;
  readonly fields: FieldSet;
  readonly raw: Tree;
}

export interface Writer {
  readonly manager: string;
  readonly time: string;
  readonly subresource?: string;
}

export interface ApplyOptions extends Writer {
  readonly force: boolean;
}

/** Throws `conflict`. The object is as it is to be stored. */
export function applied(
  live: KubeObject | undefined,
  given: KubeObject,
  options: ApplyOptions,
): KubeObject {
  const { apiVersion } = given;
  const fields = fieldsOf(apiVersion, given);
  const base = live ?? bare(given);
  const owners = ownersOf(base);
  const mine = owners.find((owner) => isApplier(owner, options));
  const others = owners.filter((owner) => owner !== mine);
  const wanted = differing(apiVersion, base, given);
  if (!options.force) refuseConflicts(others, wanted);
  const kept = options.force ? others.map((owner) => lessOf(owner, wanted)) : others;
  const owned = kept.reduce((all, { fields: theirs }) => union(all, theirs), fields);
  const dropped = mine === undefined ? {} : without(mine.fields, owned);
  const merged = merge(apiVersion, taken(apiVersion, base, dropped), given);
  const unchanged = live !== undefined && isDeepStrictEqual(bareOf(merged), bareOf(live));
  if (unchanged && mine !== undefined && isDeepStrictEqual(mine.fields, fields)) return live;
  return withOwners(merged as KubeObject, [
    ...kept.filter(({ fields: left }) => !isEmpty(left)),
    ownerFor(options, 'Apply', apiVersion, fields),
  ]);
}

/**
 * What a create, update or patch changed is its writer's. An object that nobody ever applied, and
 * that came without owners, keeps none: a rehearsal of old objects pays nothing.
 */
export function updated(
  live: KubeObject | undefined,
  next: KubeObject,
  writer: Writer,
): KubeObject {
  if (live !== undefined && live.metadata.managedFields === undefined) return next;
  const { apiVersion } = next;
  const changes =
    live === undefined ? fieldsOf(apiVersion, next) : changedFields(apiVersion, live, next);
  if (isEmpty(changes)) return withOwners(next, live === undefined ? [] : ownersOf(live));
  const owners = ownersOf(live ?? next);
  const isMine = (owner: Owner): boolean =>
    owner.operation === 'Update' &&
    owner.manager === writer.manager &&
    owner.subresource === writer.subresource;
  const before = owners.find(isMine)?.fields ?? {};
  const present = fieldsOf(apiVersion, next);
  const gone = without(changes, present);
  const fields = union(without(before, gone), without(changes, gone));
  return withOwners(next, [
    ...owners
      .filter((owner) => !isMine(owner))
      .map((owner) => lessOf(owner, changes))
      .filter(({ fields: left }) => !isEmpty(left)),
    ownerFor(writer, 'Update', apiVersion, fields),
  ]);
}

function bare({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return { apiVersion, kind, metadata };
}

/** The fields given whose values are not so already. */
function differing(apiVersion: string, live: unknown, given: unknown, path = ''): FieldSet {
  const there = new Map(
    (childrenOf(apiVersion, path, live) ?? []).map((child) => [child.part, child.value]),
  );
  const set: FieldSet = {};
  for (const { part, path: below, value } of childrenOf(apiVersion, path, given) ?? []) {
    const now = there.get(part);
    if (isDeepStrictEqual(now, value)) continue;
    const isWhole = childrenOf(apiVersion, below, value) === undefined;
    const inner = isWhole ? {} : differing(apiVersion, now, value, below);
    if (isWhole || !isEmpty(inner)) set[part] = inner;
  }
  return set;
}

function refuseConflicts(others: readonly Owner[], wanted: FieldSet): void {
  const conflicts = others.flatMap((owner) =>
    shared(wanted, owner.fields).map((path) => ({ owner, path })),
  );
  if (conflicts.length === 0) return;
  const named = [...new Set(conflicts.map(({ owner }) => owner))].map((owner) => {
    const paths = conflicts.filter((each) => each.owner === owner).map(({ path }) => path);
    const whole = `conflict with "${owner.manager}"${using(owner)}`;
    return paths.length === 1
      ? `${whole}: ${paths[0] ?? ''}`
      : `conflicts with "${owner.manager}"${using(owner)}:\n- ${paths.join('\n- ')}`;
  });
  const count = conflicts.length === 1 ? '1 conflict' : `${conflicts.length} conflicts`;
  const managers = [...new Set(conflicts.map(({ owner }) => owner.manager))].join(' and ');
  throw new RegaugeError('conflict', `Apply failed with ${count}: ${named.join('\n')}`, {
    hint: `${managers} manages fields of it: have them changed there, or they will be put back.`,
  });
}

function using({ operation, apiVersion }: Owner): string {
  return operation === 'Apply' ? '' : ` using ${apiVersion}`;
}

function merge(apiVersion: string, live: unknown, given: unknown, path = ''): unknown {
  if (isMap(live) && isMap(given)) {
    const result: Record<string, unknown> = { ...live };
    for (const [key, value] of Object.entries(given)) {
      result[key] = merge(apiVersion, live[key], value, path === '' ? key : `${path}.${key}`);
    }
    return result;
  }
  if (!Array.isArray(live) || !Array.isArray(given)) return given;
  const there = childrenOf(apiVersion, path, live);
  const wanted = childrenOf(apiVersion, path, given);
  if (there === undefined || wanted === undefined) return given;
  const byPart = new Map(wanted.map((child) => [child.part, child.value]));
  const merged = there.map(({ part, value }) => {
    if (!byPart.has(part)) return value;
    const next = merge(apiVersion, value, byPart.get(part), path);
    byPart.delete(part);
    return next;
  });
  return [...merged, ...byPart.values()];
}

/** The object without the fields of the set; a map that loses its last field goes with it. */
function taken(apiVersion: string, value: unknown, gone: FieldSet, path = ''): unknown {
  if (isEmpty(gone)) return value;
  const children = childrenOf(apiVersion, path, value) ?? [];
  if (Array.isArray(value)) {
    return children.flatMap((child) => {
      const below = gone[child.part];
      if (below === undefined) return [child.value];
      const isWhole = isEmpty(below) || '.' in below;
      return isWhole ? [] : [taken(apiVersion, child.value, below, path)];
    });
  }
  if (!isMap(value)) return value;
  const result: Record<string, unknown> = { ...value };
  for (const child of children) {
    const below = gone[child.part];
    if (below === undefined) continue;
    const key = child.part.slice(2);
    const left = isEmpty(below) ? undefined : taken(apiVersion, child.value, below, child.path);
    if (left === undefined || isNothing(left)) delete result[key];
    else result[key] = left;
  }
  return result;
}

function isNothing(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : isMap(value) && Object.keys(value).length === 0;
}

function ownersOf({ metadata }: KubeObject): readonly Owner[] {
  return (metadata.managedFields ?? []).map((entry) => {
    const raw: Tree = { ...entry };
    return {
      raw,
      manager: entry.manager ?? '',
      operation: entry.operation ?? 'Update',
      apiVersion: typeof raw['apiVersion'] === 'string' ? raw['apiVersion'] : '',
      subresource: typeof raw['subresource'] === 'string' ? raw['subresource'] : undefined,
      fields: isMap(raw['fieldsV1']) ? (raw['fieldsV1'] as FieldSet) : {}, // nested maps, by its definition
    };
  });
}

function isApplier(owner: Owner, { manager, subresource }: Writer): boolean {
  return (
    owner.operation === 'Apply' && owner.manager === manager && owner.subresource === subresource
  );
}

function lessOf(owner: Owner, fields: FieldSet): Owner {
  const left = without(owner.fields, fields);
  return { ...owner, fields: left, raw: { ...owner.raw, fieldsV1: left } };
}

function ownerFor(
  { manager, time, subresource }: Writer,
  operation: 'Apply' | 'Update',
  apiVersion: string,
  fields: FieldSet,
): Owner {
  const raw = {
    manager,
    operation,
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource === undefined ? {} : { subresource }),
  };
  return { raw, manager, operation, apiVersion, subresource, fields };
}

function withOwners(object: KubeObject, owners: readonly Owner[]): KubeObject {
  const managedFields = owners.map(({ raw }) => raw);
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

function bareOf(value: unknown): unknown {
  if (!isMap(value) || !isMap(value['metadata'])) return value;
  const { managedFields: _, ...metadata } = value['metadata'];
  return { ...value, metadata };
}
