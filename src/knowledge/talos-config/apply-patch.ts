/**
 * A strategic merge patch on a machine config in force, as talosctl does it before it sends the whole:
 * strict decoding of the patch, `$patch: delete`, documents matched by apiVersion, kind and name, and the
 * checks that refuse the result. Source: talos:pkg/machinery/config/configpatcher/strategic.go
 * @v1.13.9, configloader/internal/decoder/delete.go@v1.13.9.
 */
import { conflictsOf } from './conflicts.ts';
import { decodeMachineConfig, type DecodedDocument } from './decode.ts';
import { showDocuments } from './document-text.ts';
import { MAIN_DOCUMENT } from './keys.ts';
import { isTable, mergeConfig, type Table } from './merge-config.ts';

export type PatchResult =
  | { readonly ok: true; /** All documents, as YAML. */ readonly config: string }
  | { readonly ok: false; /** Talos's own words. */ readonly message: string };

export function applyMachineConfigPatch(
  config: string,
  patch: string,
  talosVersion: string,
): PatchResult {
  const left = decodeMachineConfig(config, { talosVersion, inForce: true });
  if (!left.ok) return { ok: false, message: left.message };
  const right = decodeMachineConfig(patch, { talosVersion });
  if (!right.ok) return { ok: false, message: right.message };
  let documents: readonly DecodedDocument[] = left.documents;
  for (const document of right.documents) {
    const outcome = applyDocument(documents, document);
    if (typeof outcome === 'string') return { ok: false, message: outcome };
    documents = outcome;
  }
  const [conflict] = conflictsOf(documents, talosVersion);
  if (conflict !== undefined) return { ok: false, message: conflict };
  return { ok: true, config: showDocuments(documents.map(({ value }) => value)) };
}

/** The documents after one document of the patch, or the words with which it is refused. */
function applyDocument(
  documents: readonly DecodedDocument[],
  patch: DecodedDocument,
): readonly DecodedDocument[] | string {
  const index = documents.findIndex((document) => identity(document) === identity(patch));
  const target = documents[index];
  if (patch.value['$patch'] === 'delete') return documents.filter((_, at) => at !== index);
  if (target === undefined) return [...documents, patch];
  const deletions = deletionsIn(patch.value, []);
  let value: Table = target.value;
  for (const path of deletions) {
    const after = withoutPath(value, path);
    if (after === undefined) return lookupFailed(patch, path);
    value = after;
  }
  const rest = deletions.reduce<Table>(
    (table, path) => withoutPath(table, path) ?? table,
    patch.value,
  );
  const merged = { ...target, value: mergeConfig(patch.kind, value, rest) };
  return documents.map((document, at) => (at === index ? merged : document));
}

function identity({ kind, name, value }: DecodedDocument): string {
  return kind === MAIN_DOCUMENT ? kind : `${String(value['apiVersion'])}/${kind}/${name ?? ''}`;
}

function lookupFailed(patch: DecodedDocument, path: Path): string {
  const dotted = path.map((part) => (typeof part === 'string' ? part : `[${part.key}]`)).join('.');
  const document =
    patch.kind === MAIN_DOCUMENT
      ? '/v1alpha1'
      : `${String(patch.value['apiVersion'])}/${patch.kind}`;
  return (
    `patch delete: path '${dotted}' in document '${document}': ` +
    `failed to delete path '${dotted}': lookup failed`
  );
}

/** A key of a map, or the entry of a list whose key has the value. */
type Path = readonly (string | { readonly key: string; readonly value: unknown })[];

/** Where the patch says `$patch: delete`; in a list, its first other key selects the entry. */
function deletionsIn(value: unknown, path: Path): readonly Path[] {
  if (Array.isArray(value)) {
    return value.flatMap((entry: unknown) => {
      if (!isTable(entry)) return [];
      const selector = Object.entries(entry).find(([key]) => key !== '$patch');
      if (selector === undefined) return [];
      return deletionsIn(entry, [...path, { key: selector[0], value: selector[1] }]);
    });
  }
  if (!isTable(value)) return [];
  if (value['$patch'] === 'delete') return [path];
  return Object.entries(value).flatMap(([key, entry]) => deletionsIn(entry, [...path, key]));
}

/** Undefined when there is nothing at the path. */
function withoutPath(table: Table, path: Path): Table | undefined {
  const [head, ...rest] = path;
  if (typeof head !== 'string' || !Object.hasOwn(table, head)) return undefined;
  const child = table[head];
  if (rest.length === 0) {
    return Object.fromEntries(Object.entries(table).filter(([key]) => key !== head));
  }
  const after = Array.isArray(child)
    ? withoutEntry(child, rest)
    : isTable(child)
      ? withoutPath(child, rest)
      : undefined;
  return after === undefined ? undefined : { ...table, [head]: after };
}

function withoutEntry(list: readonly unknown[], path: Path): readonly unknown[] | undefined {
  const [head, ...rest] = path;
  if (head === undefined || typeof head === 'string') return undefined;
  const index = list.findIndex((entry) => isTable(entry) && entry[head.key] === head.value);
  const entry = list[index];
  if (!isTable(entry)) return undefined;
  if (rest.length === 0) return list.filter((_, at) => at !== index);
  const after = withoutPath(entry, rest);
  return after === undefined ? undefined : list.map((other, at) => (at === index ? after : other));
}
