/**
 * Merging objects as clients of the API do: JSON merge patch (RFC 7386), and Helm's
 * three-way merge. Pure; what stayed is shared, so that an unchanged
 * object is the same object.
 */
import { isDeepStrictEqual } from 'node:util';

type Tree = Readonly<Record<string, unknown>>;

/** RFC 7386: maps merge, null removes, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const base = isMap(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(base[key], value);
  }
  return isDeepStrictEqual(result, target) ? target : result;
}

/**
 * What Helm sends: fields of `next` win over live edits, fields that only `last` had go, and what
 * neither knows stays.
 */
export function threeWayMerge(last: unknown, live: unknown, next: unknown): unknown {
  if (!isMap(live) || !isMap(next)) return isDeepStrictEqual(live, next) ? live : next;
  const before = isMap(last) ? last : {};
  const result: Record<string, unknown> = { ...live };
  for (const key of Object.keys(before)) if (!(key in next)) delete result[key];
  for (const [key, value] of Object.entries(next))
    result[key] = threeWayMerge(before[key], live[key], value);
  return isDeepStrictEqual(result, live) ? live : result;
}

function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
