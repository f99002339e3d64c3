/**
 * Keys that Talos does not know: strict decoding refuses a document that has one, as a whole
 * (talos:pkg/machinery/config/configloader/internal/decoder/unknown_keys.go@v1.10.5).
 */
import { childKey, documentTable, isKnown, type KeyNode } from './keys.ts';
import { suggestKey } from './suggest-key.ts';

export interface UnknownKey {
  /** Where the key stands in its document. */
  readonly path: readonly (string | number)[];
  /** Where a key of that name belongs, e.g. `machine.features.hostDNS.forwardKubeDNSToHost`. */
  readonly suggestion?: string;
}

/** Whether the version knows the kind of document at all. */
export function knowsKind(kind: string, talosVersion: string): boolean {
  const node = documentTable().get(kind);
  return node !== undefined && isKnown(node, talosVersion);
}

/** The unknown keys of one document, in its own order. `$patch` is a directive of patches. */
export function unknownKeysOf(
  kind: string,
  value: unknown,
  talosVersion: string,
): readonly UnknownKey[] {
  const root = documentTable().get(kind);
  if (root === undefined || !isKnown(root, talosVersion)) return [];
  const found: UnknownKey[] = [];
  walk(root, value, [], (path) => {
    const suggestion = suggestKey(kind, path, talosVersion);
    found.push(suggestion === undefined ? { path } : { path, suggestion });
  });
  return found;

  function walk(
    node: KeyNode,
    at: unknown,
    path: readonly (string | number)[],
    report: (path: readonly (string | number)[]) => void,
  ): void {
    if (node.open || (node.children.size === 0 && path.length > 0)) return;
    if (Array.isArray(at)) {
      at.forEach((entry, index) => walk(node, entry, [...path, index], report));
      return;
    }
    if (at === null || typeof at !== 'object') return;
    for (const [key, entry] of Object.entries(at)) {
      if (key === '$patch') continue;
      const child = childKey(node, key, talosVersion);
      if (child === undefined) report([...path, key]);
      else walk(child, entry, [...path, key], report);
    }
  }
}

/**
 * Only the unknown parts of a document, as Talos prints them: maps sorted by key, lists of what is
 * unknown in their entries. `leafAt` gives what is shown for an unknown key.
 */
export function unknownSubtree(
  paths: readonly (readonly (string | number)[])[],
  leafAt: (path: readonly (string | number)[]) => unknown,
): unknown {
  return subtree(paths, 0, leafAt);
}

function subtree(
  paths: readonly (readonly (string | number)[])[],
  depth: number,
  leafAt: (path: readonly (string | number)[]) => unknown,
): unknown {
  const groups = new Map<string | number, (readonly (string | number)[])[]>();
  for (const path of paths) {
    const part = path[depth];
    if (part === undefined) continue;
    groups.set(part, [...(groups.get(part) ?? []), path]);
  }
  const children = [...groups].map(([part, below]): [string | number, unknown] => {
    const leaf = below.find((path) => path.length === depth + 1);
    return [part, leaf === undefined ? subtree(below, depth + 1, leafAt) : leafAt(leaf)];
  });
  if (children.every(([part]) => typeof part === 'number'))
    return children.map(([, child]) => child);
  const sorted = children.toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1));
  return Object.fromEntries(sorted);
}
