/**
 * Strict decoding of a machine config or patch, with Talos's own message when it refuses.
 * Source: talos:pkg/machinery/config/configloader/internal/decoder/{decoder,unknown_keys}.go
 * @v1.10.5, @v1.12.11, @v1.13.9.
 */
import { isMap, LineCounter, parseAllDocuments, stringify, type Document } from 'yaml';
import { atLeast } from '../../base/versions.ts';
import { writtenDocuments } from './document-text.ts';
import { MAIN_DOCUMENT } from './keys.ts';
import { knowsKind, unknownKeysOf, unknownSubtree, type UnknownKey } from './unknown-keys.ts';

export interface DecodedDocument {
  /** `v1alpha1` for the unnamed main document; else its `kind`. */
  readonly kind: string;
  readonly name?: string;
  /** The document as plain data. */
  readonly value: Readonly<Record<string, unknown>>;
  /** 1-based line of its first key. */
  readonly line: number;
}

interface LocatedUnknownKey extends UnknownKey {
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

export type DecodeResult =
  | { readonly ok: true; readonly documents: readonly DecodedDocument[] }
  | {
      readonly ok: false;
      readonly message: string;
      readonly unknownKeys: readonly LocatedUnknownKey[];
    };

export interface DecodeOptions {
  /** `1.10.2`; the main document's keys and the message's form follow it. */
  readonly talosVersion: string;
  /** The config is in force: whatever it holds was accepted, also what is not known here. */
  readonly inForce?: boolean;
}

/** Keys whose presence makes a document without a kind the main one. */
const MAIN_KEYS = ['machine', 'cluster', 'debug', 'persist'];

/** Nodes share configs and patches, and a text always decodes alike. */
const memory = new Map<string, DecodeResult>();
const MEMORY_MAX = 4096;

export function decodeMachineConfig(text: string, options: DecodeOptions): DecodeResult {
  const key = `${options.talosVersion} ${options.inForce === true}\n${text}`;
  const remembered = memory.get(key);
  if (remembered !== undefined) return remembered;
  const result = decodeWritten(text, options) ?? decode(text, options);
  if (memory.size >= MEMORY_MAX) memory.clear();
  memory.set(key, result);
  return result;
}

/** A text of our own writing needs no positions while there is nothing wrong with it. */
function decodeWritten(text: string, options: DecodeOptions): DecodeResult | undefined {
  const { talosVersion, inForce = false } = options;
  const values = writtenDocuments(text);
  if (values === undefined) return undefined;
  const documents: DecodedDocument[] = [];
  for (const value of values) {
    const decoded = describe(value, 1);
    if (decoded === undefined) return undefined;
    if (!inForce && !isKnownDocument(decoded, talosVersion)) return undefined;
    documents.push(decoded);
  }
  return { ok: true, documents };
}

function isKnownDocument({ kind, value }: DecodedDocument, talosVersion: string): boolean {
  return knowsKind(kind, talosVersion) && unknownKeysOf(kind, value, talosVersion).length === 0;
}

function decode(text: string, options: DecodeOptions): DecodeResult {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  // An empty stream has no documents.
  if (!Array.isArray(parsed)) return { ok: true, documents: [] };
  const documents: DecodedDocument[] = [];
  const seen = new Set<string>();
  for (const document of parsed) {
    const [error] = document.errors;
    if (error !== undefined) return refuse(`decode error: yaml: ${error.message.split('\n')[0]}`);
    if (document.contents === null) continue;
    if (!isMap(document.contents)) return refuse('expected a YAML document');
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const decoded = describe(value, lines.linePos(document.contents.range?.[0] ?? 0).line);
    if (decoded === undefined) return refuse('missing kind');
    const problem =
      options.inForce === true ? undefined : judge(decoded, document, lines, options.talosVersion);
    if (problem !== undefined) return problem;
    const id = `${apiVersionOf(decoded)}/${decoded.kind}/${decoded.name ?? ''}`;
    if (seen.has(id)) return refuse(`duplicate document ${id} is not allowed`);
    seen.add(id);
    documents.push(decoded);
  }
  return { ok: true, documents };
}

function refuse(message: string, unknownKeys: readonly LocatedUnknownKey[] = []): DecodeResult {
  return { ok: false, message, unknownKeys };
}

function describe(value: unknown, line: number): DecodedDocument | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const kind = fields.get('kind');
  const name = fields.get('name');
  if (typeof kind !== 'string' && !MAIN_KEYS.some((key) => fields.has(key))) return undefined;
  return {
    kind: typeof kind === 'string' ? kind : MAIN_DOCUMENT,
    ...(typeof name === 'string' ? { name } : {}),
    value: Object.fromEntries(fields),
    line,
  };
}

function judge(
  decoded: DecodedDocument,
  document: Document,
  lines: LineCounter,
  talosVersion: string,
): DecodeResult | undefined {
  const version = apiVersionOf(decoded);
  if (!knowsKind(decoded.kind, talosVersion)) {
    const message = `"${decoded.kind}" "${version}": not registered`;
    return refuse(`${prefix(decoded, talosVersion)}${message}`);
  }
  const unknown = unknownKeysOf(decoded.kind, decoded.value, talosVersion);
  if (unknown.length === 0) return undefined;
  const paths = unknown.map(({ path }) => path);
  // Nodes, not values: Talos prints the comments of what it does not know as well.
  const shown = unknownSubtree(paths, (path) => document.getIn(path, true));
  const subtree = stringify(shown, { indent: 4, lineWidth: 0 });
  const message = `${prefix(decoded, talosVersion)}unknown keys found during decoding:\n${subtree}`;
  return refuse(
    message,
    unknown.map((key) => ({ ...key, ...positionOf(document, key.path, lines) })),
  );
}

/** Since 1.12.3 the message names the document and its line (decoder.go@v1.12.2, @v1.12.3). */
function prefix(decoded: DecodedDocument, talosVersion: string): string {
  if (!atLeast(talosVersion, '1.12.3')) return '';
  const id = `${apiVersionOf(decoded)}/${decoded.kind}/${decoded.name ?? ''}`;
  return `error decoding document ${id} (line ${decoded.line}): `;
}

function apiVersionOf({ value }: DecodedDocument): string {
  return typeof value['apiVersion'] === 'string' ? value['apiVersion'] : '';
}

function positionOf(
  document: Document,
  path: readonly (string | number)[],
  lines: LineCounter,
): { line: number; column: number } {
  const parent: unknown =
    path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  const pair = isMap(parent)
    ? parent.items.find((item) => String(item.key) === String(key))
    : undefined;
  const node: unknown = pair?.key;
  const offset = hasRange(node) ? node.range[0] : 0;
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function hasRange(node: unknown): node is { range: readonly [number, number, number] } {
  return node !== null && typeof node === 'object' && 'range' in node && Array.isArray(node.range);
}
