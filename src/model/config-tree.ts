/**
 * A configuration document whose every value knows its position. What a Helm values file, a Talos
 * machine config or a patch is to the rules that read it.
 */
import type { Source } from '../base/source.ts';

export interface Located<T> {
  readonly value: T;
  readonly source: Source;
}

/** `a.b[0].c` as `['a', 'b', 0, 'c']`; a dotted string is accepted where no key holds a dot. */
export type TreePath = string | readonly (string | number)[];

export interface ConfigTree {
  /** The document's start. */
  readonly source: Source;
  /** The whole document as plain data. */
  readonly value: unknown;
  /** The value at the path with its position (of the value), or undefined where the path ends early. */
  at(path: TreePath): Located<unknown> | undefined;
  /** The position of the key that names the path's last part (of the value in a list). */
  keyOf(path: TreePath): Source | undefined;
  /** The position of the nearest part of the path that exists: where something is missing from. */
  nearest(path: TreePath): Source;
}

export function pathParts(path: TreePath): readonly (string | number)[] {
  return typeof path === 'string' ? (path === '' ? [] : path.split('.')) : path;
}

/** `['a', 0, 'b.c']` → `a[0]["b.c"]`. */
export function showPath(path: TreePath): string {
  return pathParts(path)
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (/[.[\]]/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** A tree over plain data, for what has no text behind it (generated clusters, API objects). */
export function plainTree(value: unknown, source: Source): ConfigTree {
  const sourceAt = (path: TreePath): Source => ({ ...source, path: showPath(path) });
  const find = (path: TreePath): unknown =>
    pathParts(path).reduce<unknown>((node, part) => childOf(node, part), value);
  return {
    source,
    value,
    at: (path) => {
      const found = find(path);
      return found === undefined ? undefined : { value: found, source: sourceAt(path) };
    },
    keyOf: (path) => (find(path) === undefined ? undefined : sourceAt(path)),
    nearest: (path) => {
      const parts = pathParts(path);
      let length = parts.length;
      while (length > 0 && find(parts.slice(0, length)) === undefined) length -= 1;
      return length === 0 ? source : sourceAt(parts.slice(0, length));
    },
  };
}

function childOf(node: unknown, part: string | number): unknown {
  if (Array.isArray(node)) return typeof part === 'number' ? node[part] : node[Number(part)];
  if (node === null || typeof node !== 'object') return undefined;
  return Object.hasOwn(node, part) ? (node as Record<string, unknown>)[part] : undefined;
}
