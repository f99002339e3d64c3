/** Helm values as data: looking up a path, and laying a user's values over the chart's defaults. */

export type ChartValues = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is ChartValues {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The value at a dotted path; undefined where the path ends early. */
export function valueAt(values: unknown, path: string): unknown {
  let node: unknown = values;
  for (const part of path.split('.')) {
    if (!isTable(node) || !Object.hasOwn(node, part)) return undefined;
    node = node[part];
  }
  return node;
}

export function hasPath(values: unknown, path: string): boolean {
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  const parent = parts.length === 0 ? values : valueAt(values, parts.join('.'));
  return isTable(parent) && Object.hasOwn(parent, last);
}

/** A new tree with the value set at the path; parents that are no tables are replaced. */
export function withValue(values: ChartValues, path: string, value: unknown): ChartValues {
  const [head = '', ...rest] = path.split('.');
  if (rest.length === 0) return { ...values, [head]: value };
  const child = values[head];
  return { ...values, [head]: withValue(isTable(child) ? child : {}, rest.join('.'), value) };
}

/**
 * Helm's merge of user values over chart defaults: tables merge, a null removes the default's key,
 * everything else replaces (helm.sh/helm/v3 pkg/chartutil/coalesce.go, CoalesceValues).
 */
export function coalesceValues(defaults: ChartValues, user: ChartValues): ChartValues {
  const merged: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(user)) {
    const base = merged[key];
    if (value === null) delete merged[key];
    else if (isTable(value) && isTable(base)) merged[key] = coalesceValues(base, value);
    else merged[key] = value;
  }
  return merged;
}

/** What a Go template takes for true: not nil, false, zero or empty. */
export function isTruthy(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') {
    return false;
  }
  if (Array.isArray(value)) return value.length > 0;
  return isTable(value) ? Object.keys(value).length > 0 : true;
}

/** A scalar as a template prints it; lists and tables as JSON. */
export function showValue(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return JSON.stringify(value);
}

/** A list value that may also be written as one space-separated string. */
export function listValue(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map((entry) => showValue(entry));
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((entry) => entry !== '');
  return [];
}
