/**
 * What server-side apply makes of an object: the live one with the fields given, without those that
 * this manager gave before and gives no more (sigs.k8s.io/structured-merge-diff/merge/update.go).
 */
import { isMap, listOf, type Tree } from '../../../base/json-tree.ts';
import { isEqual } from '../tree.ts';
import { type FieldPath, KEY_DEFAULTS, type MergeRules } from './list-types.ts';
import {
  childrenOf,
  emptySet,
  type FieldSet,
  fieldsOf,
  isEmpty,
  isLeaf,
  keyElement,
} from './field-set.ts';

/** Fields of `given` into `live`: lists of entries by their keys, in the order given. */
export function mergeApplied(
  live: unknown,
  given: unknown,
  rules: MergeRules,
  path: FieldPath = [],
): unknown {
  if (live === undefined) return given;
  if (isMap(given) && isMap(live)) {
    if (path.length > 0 && rules.of(path, given).kind === 'atomic') return given;
    const result: Record<string, unknown> = { ...live };
    for (const [key, value] of Object.entries(given)) {
      result[key] = mergeApplied(live[key], value, rules, [...path, key]);
    }
    return result;
  }
  if (!Array.isArray(given) || !Array.isArray(live)) return given;
  return mergeLists(live, given, rules, path);
}

function mergeLists(
  live: readonly unknown[],
  given: readonly unknown[],
  rules: MergeRules,
  path: FieldPath,
): readonly unknown[] {
  const merging = rules.of(path, given.length === 0 ? live : given);
  if (merging.kind === 'set') return [...given, ...live.filter((item) => !given.includes(item))];
  if (merging.kind !== 'keyed') return given;
  const { keys } = merging;
  const byKey = new Map(live.map((item) => [keyElement(item, keys), item]));
  const merged = given.map((item) => {
    const key = keyElement(item, keys);
    const old = byKey.get(key);
    byKey.delete(key);
    return old === undefined ? withDefaultKeys(item, keys) : mergeApplied(old, item, rules, path);
  });
  // The order is that of what was given; what it does not name keeps its place before the rest.
  return [...byKey.values(), ...merged].toSorted(
    (left, right) => placeOf(left, live, keys) - placeOf(right, live, keys),
  );
}

function placeOf(item: unknown, live: readonly unknown[], keys: readonly string[]): number {
  const key = keyElement(item, keys);
  const index = live.findIndex((other) => keyElement(other, keys) === key);
  return index < 0 ? live.length : index;
}

function withDefaultKeys(item: unknown, keys: readonly string[]): unknown {
  if (!isMap(item)) return item;
  const missing = keys.filter((key) => item[key] === undefined && key in KEY_DEFAULTS);
  if (missing.length === 0) return item;
  return { ...item, ...Object.fromEntries(missing.map((key) => [key, KEY_DEFAULTS[key]])) };
}

/** The object without the fields of the set. */
export function removeFields(
  value: unknown,
  gone: FieldSet,
  rules: MergeRules,
  path: FieldPath = [],
): unknown {
  if (isMap(value)) {
    const result: Record<string, unknown> = {};
    for (const [key, entry] of Object.entries(value)) {
      const child = gone.children.get(`f:${key}`);
      if (child === undefined) result[key] = entry;
      else if (!child.member || child.children.size > 0) {
        const left = removeFields(entry, child, rules, [...path, key]);
        // A map that is left empty goes with the last of its fields.
        if (!isEmptied(entry, left)) result[key] = left;
      }
    }
    return result;
  }
  if (!Array.isArray(value)) return value;
  const elements = childrenOf(value, rules, path).map(({ element }) => element);
  return value.flatMap((item, index) => {
    const child = gone.children.get(elements[index] ?? '');
    if (child === undefined) return [item];
    if (child.member) return [];
    return [removeFields(item, child, rules, path)];
  });
}

function isEmptied(before: unknown, after: unknown): boolean {
  if (Array.isArray(after)) return after.length === 0 && listOf(before).length > 0;
  return (
    isMap(after) &&
    Object.keys(after).length === 0 &&
    isMap(before) &&
    Object.keys(before).length > 0
  );
}

export interface Changes {
  /** Set or changed. */
  readonly written: FieldSet;
  readonly removed: FieldSet;
}

/** What differs between two versions of an object. */
export function changesBetween(
  old: unknown,
  changed: unknown,
  rules: MergeRules,
  path: FieldPath = [],
): Changes {
  if (old === changed || isEqual(old, changed)) return { written: emptySet(), removed: emptySet() };
  const isWhole = path.length > 0 && (isLeaf(changed, rules, path) || isLeaf(old, rules, path));
  if (old === undefined) return { written: whole(changed, rules, path), removed: emptySet() };
  if (changed === undefined) return { written: emptySet(), removed: whole(old, rules, path) };
  if (isWhole) return { written: whole(changed, rules, path), removed: emptySet() };
  const before = new Map(childrenOf(old, rules, path).map((child) => [child.element, child]));
  const written = emptySet();
  const removed = emptySet();
  const take = (element: string, changes: Changes): void => {
    if (!isEmpty(changes.written)) written.children.set(element, changes.written);
    if (!isEmpty(changes.removed)) removed.children.set(element, changes.removed);
  };
  for (const { element, value, path: below } of childrenOf(changed, rules, path)) {
    take(element, changesBetween(before.get(element)?.value, value, rules, below));
    before.delete(element);
  }
  for (const { element, value, path: below } of before.values()) {
    take(element, changesBetween(value, undefined, rules, below));
  }
  return { written, removed };
}

function whole(value: unknown, rules: MergeRules, path: FieldPath): FieldSet {
  const fields = fieldsOf(value, rules, path);
  fields.member = true;
  return fields;
}

/** Nobody owns these (fieldmanager/stripmeta.go), and status is not written with the rest. */
export function stripped(object: Tree, alsoStatus: boolean): Tree {
  const { apiVersion: _version, kind: _kind, metadata, status, ...rest } = object;
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(isMap(metadata) ? metadata : {})) {
    if (!SYSTEM_METADATA.has(key)) kept[key] = value;
  }
  return {
    ...rest,
    ...(Object.keys(kept).length === 0 ? {} : { metadata: kept }),
    ...(alsoStatus || status === undefined ? {} : { status }),
  };
}

const SYSTEM_METADATA = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'name',
  'namespace',
  'resourceVersion',
  'selfLink',
  'uid',
]);
