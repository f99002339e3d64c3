/** Merges a patch into the text of a values file (RFC 7396, as YAML); comments and order stay. */
import { type Document, isMap, parse, parseDocument } from 'yaml';

/** Undefined where either is not one YAML mapping. */
export function patchedValues(text: string, patch: string): string | undefined {
  const document: Document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  const wanted: unknown = parse(patch);
  if (!isTable(wanted)) return undefined;
  if (document.contents !== null && !isMap(document.contents)) return undefined;
  merge(document, [], wanted);
  return document.toString({ lineWidth: 0 });
}

type Table = Readonly<Record<string, unknown>>;

function isTable(value: unknown): value is Table {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function merge(document: Document, path: readonly string[], patch: Table): void {
  for (const [key, value] of Object.entries(patch)) {
    const here = [...path, key];
    if (value === null) document.deleteIn(here);
    else if (isTable(value) && isMap(document.getIn(here, true))) merge(document, here, value);
    else document.setIn(here, value);
  }
}
