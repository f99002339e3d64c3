/**
 * Who owns which fields of an object: entries of `metadata.managedFields` for apply and for other
 * writes, conflicts between them, and the words for those (KK staging/src/k8s.io/apimachinery/pkg/
 * util/managedfields).
 */
import type { MergeRules } from './list-types.ts';
import { WriteRefusal } from './write-refusal.ts';
import { listOf, mapOf, textOf, type Tree, valueAt } from '../../../base/json-tree.ts';
import { isEqual, without } from '../tree.ts';
import {
  difference,
  type FieldSet,
  fieldsOf,
  fromFieldsV1,
  intersection,
  isEmpty,
  pathsOf,
  toFieldsV1,
  union,
} from './field-set.ts';
import { changesBetween, mergeApplied, removeFields, stripped } from './merge-applied.ts';

export interface Manager {
  readonly name: string;
  readonly apiVersion: string;
  readonly subresource?: string;
  readonly time: string;
}

interface Entry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

export interface Writing {
  readonly rules: MergeRules;
  readonly manager: Manager;
  /** The kind has a status subresource: its status is nobody's here. */
  readonly ignoresStatus: boolean;
}

export interface Applying extends Writing {
  readonly force: boolean;
  /** An object without owners is one whose owners were not read: then nobody is in the way. */
  readonly ownersUnread?: boolean;
}

/** The new version with its managedFields, after a write that is no apply. */
export function afterUpdate(old: Tree | undefined, changed: Tree, writing: Writing): Tree {
  const { rules, manager, ignoresStatus } = writing;
  const before = old === undefined ? undefined : stripped(old, ignoresStatus);
  const { written, removed } = changesBetween(
    before ?? {},
    stripped(changed, ignoresStatus),
    rules,
  );
  const entries = entriesOf(toldOwners(old, changed) ?? {});
  if (isEmpty(written) && isEmpty(removed)) return withEntries(changed, entries);
  const own = entries.find((entry) => isOwn(entry, manager, 'Update'));
  const others = entries
    .filter((entry) => entry !== own)
    .map((entry) => ({
      ...entry,
      fields: difference(difference(entry.fields, written), removed),
    }));
  const fields = union(own === undefined ? written : difference(own.fields, removed), written);
  return withEntries(changed, [...others, { ...entryOf(manager, 'Update'), fields }]);
}

/** Whoever writes other managedFields means it: `kubectl` so moves its fields from update to apply. */
function toldOwners(old: Tree | undefined, changed: Tree): Tree | undefined {
  const told = valueAt(changed, 'metadata', 'managedFields');
  if (!Array.isArray(told) || isEqual(told, valueAt(old, 'metadata', 'managedFields'))) return old;
  return changed;
}

/** Server-side apply; throws 409 with every conflict unless forced. */
export function applied(
  live: Tree | undefined,
  given: Tree,
  { force, ownersUnread = false, ...writing }: Applying,
): Tree {
  const { rules, manager, ignoresStatus } = writing;
  const config = stripped(given, ignoresStatus);
  const wanted = fieldsOf(config, rules);
  const entries =
    live === undefined ? [] : ownersUnread ? entriesOf(live) : ownersBeforeApply(live, writing);
  const own = entries.find((entry) => isOwn(entry, manager, 'Apply'));
  const others = entries.filter((entry) => entry !== own);
  const merged = mapOf(mergeApplied(live, without(given, 'status'), rules));
  const full = ignoresStatus ? merged : mapOf(mergeApplied(live, given, rules));
  const pruned = own === undefined ? full : prune(full, { own, others, wanted, rules });
  const before = live === undefined ? {} : stripped(live, ignoresStatus);
  const { written } = changesBetween(before, stripped(pruned, ignoresStatus), rules);
  const contested = others
    .map((entry) => ({ entry, fields: intersection(entry.fields, intersection(written, wanted)) }))
    .filter(({ fields }) => !isEmpty(fields) && pathsOf(fields).length > 0);
  if (contested.length > 0 && !force) throw conflictsOf(contested);
  const left = others.map((entry) => ({
    ...entry,
    fields: difference(entry.fields, contested.find((each) => each.entry === entry)?.fields),
  }));
  const time =
    own !== undefined && isSameSet(own.fields, wanted) && isEmpty(written)
      ? own.time
      : manager.time;
  return withEntries(pruned, [
    ...left,
    { ...entryOf({ ...manager, time }, 'Apply'), fields: wanted },
  ]);
}

function prune(
  merged: Tree,
  parts: {
    readonly own: Entry;
    readonly others: readonly Entry[];
    readonly wanted: FieldSet;
    readonly rules: MergeRules;
  },
): Tree {
  const { own, others, wanted, rules } = parts;
  let gone = difference(own.fields, wanted);
  for (const { fields } of others) gone = difference(gone, fields);
  return isEmpty(gone) ? merged : mapOf(removeFields(merged, gone, rules));
}

/** An object that nobody is known to own was somebody's: what is there may not be taken silently. */
function ownersBeforeApply(
  live: Tree,
  { rules, manager, ignoresStatus }: Writing,
): readonly Entry[] {
  const entries = entriesOf(live);
  if (entries.length > 0) return entries;
  const fields = fieldsOf(stripped(live, ignoresStatus), rules);
  if (isEmpty(fields)) return [];
  return [{ ...entryOf({ ...manager, name: 'before-first-apply' }, 'Update'), fields }];
}

function conflictsOf(
  contested: readonly { readonly entry: Entry; readonly fields: FieldSet }[],
): WriteRefusal {
  const all = contested.flatMap(({ entry, fields }) =>
    pathsOf(fields).map((path) => ({ manager: shownManager(entry), path })),
  );
  const causes = all.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }));
  const [only] = all;
  const managers = [...new Set(all.map(({ manager }) => manager))].toSorted();
  const told =
    all.length === 1 && only !== undefined
      ? `conflict with ${only.manager}: ${only.path}`
      : managers
          .flatMap((manager) => [
            `conflicts with ${manager}:`,
            ...all.filter((each) => each.manager === manager).map(({ path }) => `- ${path}`),
          ])
          .join('\n');
  const count = `${all.length} conflict${all.length === 1 ? '' : 's'}`;
  const names = [...new Set(contested.map(({ entry }) => entry.manager))].join(' and ');
  return new WriteRefusal(
    { code: 409, reason: 'Conflict', causes },
    `Apply failed with ${count}: ${told}`,
    `${names} manages fields of it: have them changed there, or they will be put back.`,
  );
}

function shownManager({ manager, subresource, operation, apiVersion }: Entry): string {
  const sub = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  const using = operation === 'Update' ? ` using ${apiVersion}` : '';
  return `${JSON.stringify(manager)}${sub}${using}`;
}

function isOwn(entry: Entry, manager: Manager, operation: Entry['operation']): boolean {
  return (
    entry.manager === manager.name &&
    entry.operation === operation &&
    entry.subresource === (manager.subresource ?? '') &&
    (operation === 'Apply' || entry.apiVersion === manager.apiVersion)
  );
}

function entryOf(manager: Manager, operation: Entry['operation']): Omit<Entry, 'fields'> {
  const { name, apiVersion, subresource = '', time } = manager;
  return { manager: name, operation, apiVersion, subresource, time };
}

function entriesOf(object: Tree): readonly Entry[] {
  return listOf(mapOf(object['metadata'])['managedFields']).map((each) => {
    const entry = mapOf(each);
    return {
      manager: textOf(entry['manager']),
      operation: entry['operation'] === 'Apply' ? 'Apply' : 'Update',
      apiVersion: textOf(entry['apiVersion']),
      subresource: textOf(entry['subresource']),
      time: textOf(entry['time']),
      fields: fromFieldsV1(entry['fieldsV1']),
    };
  });
}

function withEntries(object: Tree, entries: readonly Entry[]): Tree {
  const managedFields = entries
    .filter(({ fields }) => !isEmpty(fields))
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion,
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields),
      ...(subresource === '' ? {} : { subresource }),
    }));
  const metadata = without(mapOf(object['metadata']), 'managedFields');
  return {
    ...object,
    metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields },
  };
}

function isSameSet(left: FieldSet, right: FieldSet): boolean {
  return isEmpty(difference(left, right)) && isEmpty(difference(right, left));
}
