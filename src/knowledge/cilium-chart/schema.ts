/**
 * The type checks of the chart's values.schema.json (since 1.16.0), in the words of Helm since 3.18. Unknown keys
 * pass: the schema forbids none (cilium/cilium#34229).
 */
import { atLeast } from '../../base/versions.ts';
import { VALUE_TYPES } from './schema-types.ts';
import { isTable, valueAt, type ChartValues } from './values.ts';

export interface ValueProblem {
  /** Dotted path of the value. */
  readonly path: string;
  readonly kind: 'schema' | 'template';
  readonly message: string;
}

interface ExpectedType {
  readonly path: string;
  readonly types: readonly string[];
}

const SCHEMA_SINCE = '1.16.0';
const cache = new Map<string, readonly ExpectedType[]>();

/** Values of a wrong JSON type, in path order; none before 1.16.0, which ships no schema. */
export function schemaProblems(version: string, values: ChartValues): readonly ValueProblem[] {
  if (!atLeast(version, SCHEMA_SINCE)) return [];
  return expectedTypes(version).flatMap(({ path, types }) => {
    const value = valueAt(values, path);
    if (value === undefined || value === null || matches(value, types)) return [];
    const message = `got ${typeName(value)}, want ${types.join(' or ')}`;
    return [{ path, kind: 'schema' as const, message }];
  });
}

/** The JSON types the schema of a version accepts for a value; undefined when it does not say. */
export function schemaTypesOf(version: string, path: string): readonly string[] | undefined {
  return expectedTypes(version).find((entry) => entry.path === path)?.types;
}

function expectedTypes(version: string): readonly ExpectedType[] {
  const cached = cache.get(version);
  if (cached !== undefined) return cached;
  const types = new Map<string, readonly string[]>();
  for (const row of VALUE_TYPES) {
    if (row.since !== undefined && !atLeast(version, row.since)) continue;
    if (row.until !== undefined && atLeast(version, row.until)) continue;
    for (const path of row.paths.trim().split(/\s+/)) types.set(path, row.types.split('|'));
  }
  for (const path of types.keys()) addTables(types, path);
  const list = [...types]
    .map(([path, accepted]) => ({ path, types: accepted }))
    .toSorted((left, right) => (left.path < right.path ? -1 : 1));
  cache.set(version, list);
  return list;
}

/** Every parent of a typed value is a table. */
function addTables(types: Map<string, readonly string[]>, path: string): void {
  const parts = path.split('.');
  for (let length = 1; length < parts.length; length += 1) {
    const parent = parts.slice(0, length).join('.');
    if (!types.has(parent)) types.set(parent, ['object']);
  }
}

function matches(value: unknown, types: readonly string[]): boolean {
  return types.some((type) => {
    switch (type) {
      case 'array':
        return Array.isArray(value);
      case 'object':
        return isTable(value);
      case 'integer':
        return Number.isInteger(value);
      default:
        return typeof value === type;
    }
  });
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
