/**
 * Strategic merge patch (KK staging/src/k8s.io/apimachinery/pkg/util/strategicpatch): as a JSON merge
 * patch, but lists of named entries merge by their key, and `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList` and `$setElementOrder` say what a merge cannot.
 */
import { isMap, listOf, type Tree } from '../../../base/json-tree.ts';
import { isEqual } from '../tree.ts';
import type { FieldPath, MergeRules } from './list-types.ts';
import { badPatch } from './write-refusal.ts';

const DELETE_VALUES = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

export function applyStrategicMerge(target: unknown, patch: unknown, rules: MergeRules): unknown {
  if (!isMap(patch)) throw badPatch('error decoding patch: a strategic merge patch is a map');
  return new StrategicMerge(rules).merge(isMap(target) ? target : {}, patch, []);
}

class StrategicMerge {
  private readonly rules: MergeRules;

  constructor(rules: MergeRules) {
    this.rules = rules;
  }

  merge(target: Tree, patch: Tree, path: FieldPath): Tree {
    const directive = patch['$patch'];
    if (directive === 'replace') return withoutDirectives(patch);
    if (directive === 'delete') return {};
    const result: Record<string, unknown> = { ...target };
    const retained = patch['$retainKeys'];
    if (Array.isArray(retained)) {
      for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
    }
    for (const [key, value] of Object.entries(patch)) {
      if (key.startsWith(DELETE_VALUES)) {
        const name = key.slice(DELETE_VALUES.length);
        const gone = listOf(value);
        result[name] = listOf(result[name]).filter((item) => !gone.includes(item));
      } else if (!key.startsWith('$')) {
        const merged = this.value(result[key], value, [...path, key]);
        if (merged === undefined) delete result[key];
        else result[key] = merged;
      }
    }
    this.order(result, patch, path);
    return result;
  }

  /** Undefined: the field goes. */
  private value(old: unknown, value: unknown, path: FieldPath): unknown {
    if (value === null) return undefined;
    if (isMap(value)) {
      if (value['$patch'] === 'delete') return undefined;
      return this.merge(isMap(old) ? old : {}, value, path);
    }
    if (!Array.isArray(value)) return value;
    const key = this.rules.patchKeyOf(path);
    if (key !== undefined) return this.keyed(listOf(old), value, { key, path });
    if (!this.rules.mergesValues(path)) return value;
    const before = listOf(old);
    return [...before, ...value.filter((item) => !before.includes(item))];
  }

  private keyed(
    old: readonly unknown[],
    patch: readonly unknown[],
    { key, path }: { readonly key: string; readonly path: FieldPath },
  ): readonly unknown[] {
    const entries = patch.filter(isMap);
    if (entries.some((entry) => entry['$patch'] === 'replace' && entry[key] === undefined)) {
      return entries.filter((entry) => entry['$patch'] !== 'replace').map(withoutDirectives);
    }
    let result = [...old];
    for (const entry of entries) {
      const wanted = entry[key];
      if (wanted === undefined)
        throw badPatch(`map: ${JSON.stringify(entry)} does not contain declared merge key: ${key}`);
      const index = result.findIndex((item) => isMap(item) && isEqual(item[key], wanted));
      const found = result[index];
      if (entry['$patch'] === 'delete') result = result.filter((item) => item !== found);
      else if (index < 0) result.push(this.merge({}, entry, path));
      else result[index] = this.merge(isMap(found) ? found : {}, entry, path);
    }
    return result;
  }

  /** Entries that the order does not name stay behind the one they followed; those added go last. */
  private order(result: Record<string, unknown>, patch: Tree, path: FieldPath): void {
    for (const [directive, order] of Object.entries(patch)) {
      if (!directive.startsWith(ORDER)) continue;
      const name = directive.slice(ORDER.length);
      const items = result[name];
      if (!Array.isArray(items)) continue;
      const key = this.rules.patchKeyOf([...path, name]);
      const idOf = (item: unknown): unknown =>
        isMap(item) && key !== undefined ? item[key] : item;
      const wanted = listOf(order).map(idOf);
      const ranked = items.map((item, index) => {
        const rank = wanted.findIndex((id) => isEqual(id, idOf(item)));
        return { item, rank: rank < 0 ? index : rank, isNamed: rank >= 0 };
      });
      const named = ranked
        .filter(({ isNamed }) => isNamed)
        .toSorted((left, right) => left.rank - right.rank)
        .map(({ item }) => item);
      result[name] = ranked.map(({ item, isNamed }) => (isNamed ? named.shift() : item));
    }
  }
}

function withoutDirectives(patch: Tree): Tree {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith('$')));
}
