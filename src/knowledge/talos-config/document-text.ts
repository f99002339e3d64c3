/**
 * Machine configs between text and plain documents. Nodes share configs, and many readers ask for the
 * same one, so a text that was written or read here is not parsed a second time.
 */
import { parseAllDocuments, stringify } from 'yaml';

/** Texts kept; a cluster has a config per node at most. */
const MEMORY_MAX = 4096;

const memory = new Map<string, readonly unknown[]>();
/** Of these, those that were written here, and so are sound. */
const written = new Set<string>();

/** Several documents as one YAML stream. */
export function showDocuments(values: readonly unknown[]): string {
  return asWritten(values.map((value) => stringify(value, { lineWidth: 0 })).join('---\n'), values);
}

/** A text that `showDocuments` wrote of these values, maybe in another process. */
export function asWritten(text: string, values: readonly unknown[]): string {
  remember(text, values);
  written.add(text);
  return text;
}

/** The documents of a YAML stream as plain data; a broken one comes as far as it could be read. */
export function documentsOf(text: string): readonly unknown[] {
  const known = memory.get(text);
  if (known !== undefined) return known;
  const values = [...parseAllDocuments(text)].map((document): unknown => document.toJS());
  remember(text, values);
  return values;
}

/** The documents of a text that `showDocuments` wrote, which is therefore sound YAML. */
export function writtenDocuments(text: string): readonly unknown[] | undefined {
  return written.has(text) ? memory.get(text) : undefined;
}

function remember(text: string, values: readonly unknown[]): void {
  if (memory.size >= MEMORY_MAX) {
    memory.clear();
    written.clear();
  }
  memory.set(text, values);
}
