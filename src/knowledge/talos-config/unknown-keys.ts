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

/** Only the unknown parts of a document, as Talos prints them. */
export function unknownSubtree(value: unknown, keys: readonly UnknownKey[]): unknown {
  const subtree: Record<string, unknown> = {};
  for (const { path } of keys) {
    let from: unknown = value;
    let into = subtree;
    path.forEach((part, index) => {
      if (from === null || typeof from !== 'object') return;
      const child: unknown = Reflect.get(from, part);
      // Lists are left out of the path, each entry under its index, as Talos does for maps only.
      const key = String(part);
      if (index === path.length - 1) into[key] = child;
      else {
        const next = into[key];
        const table: Record<string, unknown> = isRecord(next) ? next : {};
        into[key] = table;
        into = table;
      }
      from = child;
    });
  }
  return subtree;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
