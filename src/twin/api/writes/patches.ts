/**
 * The three kinds of patches: JSON merge (RFC 7386, `mergePatch`), JSON patch (RFC 6902), and
 * strategic merge, which knows the keys of lists (KK apimachinery/pkg/util/strategicpatch).
 */
import { isDeepStrictEqual } from 'node:util';
import { RegaugeError } from '../../../base/errors.ts';
import type { JsonPatchOperation } from '../../../ports/index.ts';
import { isMap, type Tree } from './field-set.ts';
import { entryKey, isSet, listKeys } from './list-keys.ts';

export function strategicPatch(
  apiVersion: string,
  live: unknown,
  patch: unknown,
  path = '',
): unknown {
  if (isMap(patch)) return patchedMap(apiVersion, isMap(live) ? live : {}, patch, path);
  if (!Array.isArray(patch) || !Array.isArray(live)) return patch;
  if (isSet(path)) return [...new Set([...live, ...patch])];
  const keys = listKeys(apiVersion, path);
  if (keys === undefined) return patch;
  return patchedList(apiVersion, live, patch.filter(isMap), keys, path);
}

function patchedMap(apiVersion: string, live: Tree, patch: Tree, path: string): Tree {
  const result: Record<string, unknown> = patch['$patch'] === 'replace' ? {} : { ...live };
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$patch' || key.startsWith('$setElementOrder/') || key === '$retainKeys') continue;
    const deleted = /^\$deleteFromPrimitiveList\/(.*)$/.exec(key)?.[1];
    if (deleted !== undefined) {
      const list = result[deleted];
      const gone = new Set(Array.isArray(value) ? value : []);
      if (Array.isArray(list)) result[deleted] = list.filter((each) => !gone.has(each));
    } else if (value === null) delete result[key];
    else {
      const below = path === '' ? key : `${path}.${key}`;
      result[key] = strategicPatch(apiVersion, result[key], value, below);
    }
  }
  return result;
}

function patchedList(
  apiVersion: string,
  live: readonly unknown[],
  patch: readonly Tree[],
  keys: readonly string[],
  path: string,
): readonly unknown[] {
  if (patch.some((entry) => entry['$patch'] === 'replace')) {
    return patch.filter((entry) => entry['$patch'] !== 'replace');
  }
  const changes = new Map(patch.map((entry) => [entryKey(entry, keys), entry]));
  const kept = live.flatMap((entry) => {
    const key = isMap(entry) ? entryKey(entry, keys) : undefined;
    const change = changes.get(key);
    if (key === undefined || change === undefined) return [entry];
    changes.delete(key);
    return change['$patch'] === 'delete' ? [] : [strategicPatch(apiVersion, entry, change, path)];
  });
  const added = [...changes.values()].filter((entry) => entry['$patch'] !== 'delete');
  return [...kept, ...added];
}

/** Throws `refused` when an operation does not fit: then nothing is changed. */
export function jsonPatch(target: unknown, operations: readonly JsonPatchOperation[]): unknown {
  let result: unknown = structuredClone(target);
  for (const operation of operations) result = operated(result, operation);
  return result;
}

function operated(root: unknown, operation: JsonPatchOperation): unknown {
  const { op, path, from = '', value } = operation;
  switch (op) {
    case 'test':
      if (isDeepStrictEqual(valueAt(root, path), value)) return root;
      throw unfit(`testing value ${path} failed`);
    case 'add':
      return put(root, path, value, true);
    case 'replace':
      valueAt(root, path);
      return put(root, path, value, false);
    case 'remove':
      return remove(root, path);
    case 'copy':
      return put(root, path, structuredClone(valueAt(root, from)), true);
    case 'move': {
      const moved = valueAt(root, from);
      return put(remove(root, from), path, moved, true);
    }
  }
}

function valueAt(root: unknown, path: string): unknown {
  let value = root;
  for (const key of keysOf(path)) {
    if (Array.isArray(value)) value = value[indexIn(value, key, false)];
    else if (isMap(value) && Object.hasOwn(value, key)) value = value[key];
    else throw unfit(`the path ${path} does not exist`);
  }
  return value;
}

function put(root: unknown, path: string, value: unknown, isAdded: boolean): unknown {
  const keys = keysOf(path);
  const last = keys.pop();
  if (last === undefined) return value;
  const parent = valueAt(root, pathOf(keys));
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, isAdded), isAdded ? 0 : 1, value);
  else if (isMap(parent)) Object.assign(parent, { [last]: value });
  else throw unfit(`the path ${path} does not exist`);
  return root;
}

function remove(root: unknown, path: string): unknown {
  valueAt(root, path);
  const keys = keysOf(path);
  const last = keys.pop() ?? '';
  const parent = valueAt(root, pathOf(keys));
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, false), 1);
  else if (isMap(parent)) Reflect.deleteProperty(parent, last);
  return root;
}

function indexIn(list: readonly unknown[], key: string, isAdded: boolean): number {
  if (isAdded && key === '-') return list.length;
  const index = Number(key);
  const end = isAdded ? list.length : list.length - 1;
  if (/^\d+$/.test(key) && index <= end) return index;
  throw unfit(`the index ${key} is out of the list`);
}

function keysOf(path: string): string[] {
  if (path === '') return [];
  return path
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function pathOf(keys: readonly string[]): string {
  return keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function unfit(what: string): RegaugeError {
  return new RegaugeError(
    'refused',
    `the server rejected our request due to an error in our request: ${what}`,
  );
}
