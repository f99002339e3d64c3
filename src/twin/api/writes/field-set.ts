/**
 * Sets of fields as managedFields holds them (FieldsV1): a tree of path elements, `f:name` for a
 * field, `k:{…}` for an entry by its keys, `v:…` for a value of a set, `.` for the thing itself
 * (sigs.k8s.io/structured-merge-diff/fieldpath).
 */
import { isMap, listOf, mapOf, type Tree } from '../../../base/json-tree.ts';
import { type FieldPath, KEY_DEFAULTS, type MergeRules } from './list-types.ts';

export interface FieldSet {
  /** Whether the path that leads here is itself in the set. */
  member: boolean;
  readonly children: Map<string, FieldSet>;
}

export function emptySet(): FieldSet {
  return { member: false, children: new Map() };
}

export function isEmpty({ member, children }: FieldSet): boolean {
  return !member && children.size === 0;
}

export function fromFieldsV1(fields: unknown): FieldSet {
  const set = emptySet();
  for (const [element, below] of Object.entries(mapOf(fields))) {
    if (element === '.') set.member = true;
    else {
      const child = fromFieldsV1(below);
      // A path with nothing below it is a member.
      if (Object.keys(mapOf(below)).length === 0) child.member = true;
      set.children.set(element, child);
    }
  }
  return set;
}

export function toFieldsV1({ children }: FieldSet): Tree {
  const fields: Record<string, unknown> = {};
  for (const [element, child] of [...children].toSorted(([left], [right]) =>
    left < right ? -1 : 1,
  )) {
    const below = toFieldsV1(child);
    const hasBelow = Object.keys(below).length > 0;
    fields[element] = child.member && hasBelow ? { '.': {}, ...below } : below;
  }
  return fields;
}

/** The fields that the object sets: leaves, entries of lists, and what is owned as a whole. */
export function fieldsOf(value: unknown, rules: MergeRules, path: FieldPath = []): FieldSet {
  const set = emptySet();
  if (path.length > 0 && isLeaf(value, rules, path)) {
    set.member = true;
    return set;
  }
  for (const { element, value: child, path: below } of childrenOf(value, rules, path)) {
    const fields = fieldsOf(child, rules, below);
    if (!element.startsWith('f:')) fields.member = true;
    set.children.set(element, fields);
  }
  return set;
}

export interface Child {
  readonly element: string;
  readonly value: unknown;
  readonly path: FieldPath;
}

export function isLeaf(value: unknown, rules: MergeRules, path: FieldPath): boolean {
  if (Array.isArray(value)) return value.length === 0 || rules.of(path, value).kind === 'atomic';
  if (!isMap(value)) return true;
  return Object.keys(value).length === 0 || rules.of(path, value).kind === 'atomic';
}

/** What a map or a list that merges is made of. */
export function childrenOf(value: unknown, rules: MergeRules, path: FieldPath): readonly Child[] {
  if (isMap(value)) {
    return Object.entries(value).map(([key, entry]) => ({
      element: `f:${key}`,
      value: entry,
      path: [...path, key],
    }));
  }
  const merging = rules.of(path, value);
  return listOf(value).map((item) => ({
    element:
      merging.kind === 'keyed' ? keyElement(item, merging.keys) : `v:${JSON.stringify(item)}`,
    value: item,
    path,
  }));
}

export function keyElement(item: unknown, keys: readonly string[]): string {
  const entry = mapOf(item);
  const pairs = keys.toSorted().map((key) => [key, entry[key] ?? KEY_DEFAULTS[key]] as const);
  return `k:${JSON.stringify(Object.fromEntries(pairs))}`;
}

/** In both; undefined where nothing is. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  const set: FieldSet = { member: left.member && right.member, children: new Map() };
  for (const [element, child] of left.children) {
    const other = right.children.get(element);
    if (other === undefined) continue;
    const both = intersection(child, other);
    if (!isEmpty(both)) set.children.set(element, both);
  }
  return set;
}

export function difference(left: FieldSet, right: FieldSet | undefined): FieldSet {
  if (right === undefined) return left;
  const set: FieldSet = { member: left.member && !right.member, children: new Map() };
  for (const [element, child] of left.children) {
    const rest = difference(child, right.children.get(element));
    if (!isEmpty(rest)) set.children.set(element, rest);
  }
  return set;
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  const children = new Map(left.children);
  for (const [element, child] of right.children) {
    const other = children.get(element);
    children.set(element, other === undefined ? child : union(other, child));
  }
  return { member: left.member || right.member, children };
}

/** As errors name them: `.spec.containers[name="a"].image`. */
export function pathsOf(set: FieldSet, before = ''): readonly string[] {
  const own = set.member && before !== '' ? [before] : [];
  const below = [...set.children].flatMap(([element, child]) =>
    pathsOf(child, before + shown(element)),
  );
  return [...own, ...below];
}

function shown(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  const keys: unknown = JSON.parse(text);
  const pairs = Object.entries(mapOf(keys)).map(
    ([key, value]) => `${key}=${JSON.stringify(value)}`,
  );
  return `[${pairs.join(',')}]`;
}
