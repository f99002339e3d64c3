/** JSON as it comes over the wire: compared, and shared where it did not change. */
import { isDeepStrictEqual } from 'node:util';
import { isMap, listOf, mapOf, type Tree } from '../../base/json-tree.ts';

export function without(tree: Tree, ...keys: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)));
}

export function isEqual(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left, right);
}

/** `changed` with every part that equals the old one replaced by it: what stayed is the same object. */
export function shareUnchanged(old: unknown, changed: unknown): unknown {
  if (old === changed) return old;
  if (Array.isArray(old) && Array.isArray(changed)) {
    const items = changed.map((item, index) => shareUnchanged(old[index], item));
    const same = items.length === old.length && items.every((item, index) => item === old[index]);
    return same ? old : items;
  }
  if (!isMap(old) || !isMap(changed)) return changed;
  const result: Record<string, unknown> = {};
  let same = Object.keys(old).length === Object.keys(changed).length;
  for (const [key, value] of Object.entries(changed)) {
    result[key] = shareUnchanged(old[key], value);
    same &&= key in old && result[key] === old[key];
  }
  return same ? old : result;
}

/**
 * What was changed, put into the old value: `before` and `after` are the old and the new one with
 * defaults filled in, and where they agree the old one stays as it was, without the defaults.
 */
export function changedPart(old: unknown, before: unknown, after: unknown): unknown {
  if (isEqual(before, after)) return old;
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    const items = listOf(old);
    return after.map((item, index) => changedPart(items[index], before[index], item));
  }
  if (!isMap(before) || !isMap(after)) return after;
  const kept = mapOf(old);
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(after)) {
    if (!(key in before)) result[key] = value;
    else {
      const changed = changedPart(kept[key], before[key], value);
      if (changed !== undefined) result[key] = changed;
    }
  }
  return result;
}
