/** Reading single values out of machine config documents. */

/** A document as data; what decoding gives, and what a `ConfigTree` can be turned into. */
export interface ConfigDocument {
  /** `v1alpha1` for the unnamed main document; else its `kind`. */
  readonly kind: string;
  readonly name?: string;
  readonly value: unknown;
}

/** The value at a dotted path; undefined where it ends early. */
export function pathValue(value: unknown, path: string): unknown {
  let node = value;
  for (const part of path.split('.')) {
    if (node === null || typeof node !== 'object' || !Object.hasOwn(node, part)) return undefined;
    node = Reflect.get(node, part);
  }
  return node;
}

/** Go's YAML takes the 1.1 words for a typed boolean as well. */
export function booleanAt(value: unknown, path: string): boolean | undefined {
  const found = pathValue(value, path);
  if (typeof found === 'boolean') return found;
  if (typeof found !== 'string') return undefined;
  if (/^(true|yes|on|y)$/i.test(found)) return true;
  return /^(false|no|off|n)$/i.test(found) ? false : undefined;
}

export function textAt(value: unknown, path: string): string | undefined {
  const found = pathValue(value, path);
  if (typeof found === 'number') return String(found);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

export function numberAt(value: unknown, path: string): number | undefined {
  const found = pathValue(value, path);
  return typeof found === 'number' ? found : undefined;
}

/** Undefined when it is not there; one string counts as a list of one. */
export function listAt(value: unknown, path: string): readonly string[] | undefined {
  const found = pathValue(value, path);
  if (typeof found === 'string') return [found];
  return Array.isArray(found) ? found.map(String) : undefined;
}
