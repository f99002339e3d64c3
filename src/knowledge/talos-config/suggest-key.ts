/**
 * Where a misplaced or misspelt key belongs, by looking its name up in the key tables. No key has a
 * rule of its own: a sibling that is spelt almost alike comes first, then a place of the same name.
 */
import { atLeast } from '../../base/versions.ts';
import { documentTable, isKnown, MAIN_DOCUMENT, type KeyNode } from './keys.ts';

/** More places than this, and the name says too little (`name`, `enabled`, `image`). */
const PLACES_MAX = 3;

interface Place {
  readonly kind: string;
  readonly path: readonly string[];
}

/** A dotted path, with the document's kind in front unless it is the main one. */
export function suggestKey(
  kind: string,
  path: readonly (string | number)[],
  talosVersion: string,
): string | undefined {
  const names = path.filter((part): part is string => typeof part === 'string');
  const key = names.at(-1) ?? '';
  const sibling = closeSibling(kind, names, talosVersion);
  if (sibling !== undefined) return show({ kind, path: [...names.slice(0, -1), sibling] });
  const places = placesOf(key, talosVersion);
  if (places.length === 0 || places.length > PLACES_MAX) return undefined;
  const ranked = places.toSorted(
    (left, right) => rank(right, kind, names, talosVersion) - rank(left, kind, names, talosVersion),
  );
  const [best] = ranked;
  return best === undefined ? undefined : show(best);
}

function show({ kind, path }: Place): string {
  return [...(kind === MAIN_DOCUMENT ? [] : [kind]), ...path].join('.');
}

/** From 1.14 on the documents are the place; before, the main one. Then: the longer way in common. */
function rank(place: Place, kind: string, names: readonly string[], talosVersion: string): number {
  const documents = atLeast(talosVersion, '1.14.0-0');
  const form = (place.kind === MAIN_DOCUMENT) === documents ? 0 : 100;
  const shared = place.path.findIndex((part, index) => part !== names[index]);
  return form + (place.kind === kind ? 10 : 0) + (shared === -1 ? place.path.length : shared);
}

function placesOf(key: string, talosVersion: string): readonly Place[] {
  const found: Place[] = [];
  for (const [kind, root] of documentTable()) {
    if (!isKnown(root, talosVersion)) continue;
    collect(root, [], (path) => found.push({ kind, path }));
  }
  return found;

  function collect(
    node: KeyNode,
    path: readonly string[],
    report: (path: readonly string[]) => void,
  ): void {
    for (const [name, child] of node.children) {
      if (name === '*' || !isKnown(child, talosVersion)) continue;
      const here = [...path, name];
      if (name.toLowerCase() === key.toLowerCase()) report(here);
      collect(child, here, report);
    }
  }
}

function closeSibling(
  kind: string,
  names: readonly string[],
  talosVersion: string,
): string | undefined {
  let node = documentTable().get(kind);
  for (const name of names.slice(0, -1)) node = node?.children.get(name) ?? node?.children.get('*');
  if (node === undefined) return undefined;
  const key = (names.at(-1) ?? '').toLowerCase();
  const allowed = key.length < 5 ? 1 : 2;
  const close = [...node.children]
    .filter(([name, child]) => name !== '*' && isKnown(child, talosVersion))
    .map(([name]) => ({ name, distance: editDistance(key, name.toLowerCase(), allowed) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((left, right) => left.distance - right.distance);
  return close[0]?.name;
}

/** Levenshtein distance; anything above the limit is the limit plus one. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let index = 1; index <= left.length; index += 1) {
    const next = [index];
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (row[column - 1] ?? 0) + (left[index - 1] === right[column - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(row.at(-1) ?? 0, limit + 1);
}
