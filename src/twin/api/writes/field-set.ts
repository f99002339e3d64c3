/**
 * Which fields an object has, as server-side apply names them (`fieldsV1`): `f:` a field, `k:` an
 * entry of a list by its keys, `v:` a value of a set, `.` the thing itself
 * (structured-merge-diff/fieldpath/serialize.go).
 */
import { isDeepStrictEqual } from 'node:util';
import { entryKey, isSet, listKeys } from './list-keys.ts';

export type Tree = Readonly<Record<string, unknown>>;
/** Nested as `fieldsV1` is; a leaf is empty. */
export interface FieldSet {
  [part: string]: FieldSet;
}

/** Nobody owns what the server itself gives, or what says which object it is. */
const NOT_OWNED: ReadonlySet<string> = new Set([
  'apiVersion',
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.resourceVersion',
  'metadata.generation',
  'metadata.creationTimestamp',
  'metadata.deletionTimestamp',
  'metadata.deletionGracePeriodSeconds',
  'metadata.managedFields',
  'metadata.selfLink',
]);

export function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One part of a path with what is there. */
export interface Child {
  /** As in `fieldsV1`. */
  readonly part: string;
  /** Of the child, without entries of lists. */
  readonly path: string;
  readonly value: unknown;
}

/** Undefined for a value that is owned as a whole. */
export function childrenOf(
  apiVersion: string,
  path: string,
  value: unknown,
): readonly Child[] | undefined {
  if (isMap(value)) {
    return Object.entries(value)
      .map(([key, each]) => ({
        part: `f:${key}`,
        path: path === '' ? key : `${path}.${key}`,
        value: each,
      }))
      .filter((child) => !NOT_OWNED.has(child.path));
  }
  if (!Array.isArray(value)) return undefined;
  if (isSet(path)) {
    return value.map((each) => ({ part: `v:${JSON.stringify(each)}`, path, value: each }));
  }
  const keys = listKeys(apiVersion, path);
  if (keys === undefined) return undefined;
  return value.flatMap((entry) => {
    const key = isMap(entry) ? entryKey(entry, keys) : undefined;
    return key === undefined ? [] : [{ part: `k:${key}`, path, value: entry }];
  });
}

export function fieldsOf(apiVersion: string, value: unknown, path = ''): FieldSet {
  const set: FieldSet = {};
  for (const child of childrenOf(apiVersion, path, value) ?? []) {
    const below = fieldsOf(apiVersion, child.value, child.path);
    set[child.part] = child.part.startsWith('k:') ? { '.': {}, ...below } : below;
  }
  return set;
}

/** Fields of `after` that `before` has not, or otherwise; and those that are gone. */
export function changedFields(
  apiVersion: string,
  before: unknown,
  after: unknown,
  path = '',
): FieldSet {
  const old = new Map(
    (childrenOf(apiVersion, path, before) ?? []).map((child) => [child.part, child]),
  );
  const set: FieldSet = {};
  for (const child of childrenOf(apiVersion, path, after) ?? []) {
    const was = old.get(child.part);
    old.delete(child.part);
    if (was === undefined) set[child.part] = fieldsOf(apiVersion, child.value, child.path);
    else if (was.value !== child.value && !isDeepStrictEqual(was.value, child.value)) {
      set[child.part] = changedFields(apiVersion, was.value, child.value, child.path);
    }
  }
  for (const part of old.keys()) set[part] = {};
  return set;
}

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Leaves of `set` that are not in `other`; a part without leaves left goes too. */
export function without(set: FieldSet, other: FieldSet): FieldSet {
  const rest: FieldSet = {};
  for (const [part, below] of Object.entries(set)) {
    const theirs = other[part];
    if (theirs === undefined) rest[part] = below;
    else if (!isEmpty(below) && !isEmpty(theirs)) {
      const left = without(below, theirs);
      if (!isEmpty(left)) rest[part] = left;
    }
  }
  return rest;
}

export function union(one: FieldSet, other: FieldSet): FieldSet {
  const both: FieldSet = { ...one };
  for (const [part, below] of Object.entries(other)) both[part] = union(one[part] ?? {}, below);
  return both;
}

/** Leaves that are in both, as paths for people: `.data.x`, `.spec.containers[name="web"].image`. */
export function shared(one: FieldSet, other: FieldSet, prefix = ''): readonly string[] {
  return Object.entries(one).flatMap(([part, below]) => {
    const theirs = other[part];
    if (theirs === undefined || part === '.') return [];
    const path = prefix + shownPart(part);
    if (isEmpty(below) || isEmpty(theirs)) return [path];
    return shared(below, theirs, path);
  });
}

function shownPart(part: string): string {
  const text = part.slice(2);
  if (part.startsWith('f:')) return `.${text}`;
  if (part.startsWith('v:')) return `[=${text}]`;
  const keys = JSON.parse(text) as Record<string, unknown>; // as we wrote it
  const shown = Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${shown.join(',')}]`;
}
