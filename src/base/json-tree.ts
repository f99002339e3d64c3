/** JSON of which nothing is known yet, looked at without trust: what it is, or an empty one. */
export type Tree = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The map, or an empty one. */
export function mapOf(value: unknown): Tree {
  return isMap(value) ? value : {};
}

/** The list, or an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The text, or none. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** What is at the path of keys; undefined where it ends before. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found: unknown = value;
  for (const key of path) {
    if (!isMap(found)) return undefined;
    found = found[key];
  }
  return found;
}

/** Map entries that are text. */
export function textMapOf(value: unknown): Readonly<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const [key, entry] of Object.entries(mapOf(value))) {
    if (typeof entry === 'string') result[key] = entry;
  }
  return result;
}
