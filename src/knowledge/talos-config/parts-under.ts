/** What a patch would replace in a machine config, and nothing else of it: a config holds keys. */
import { documentsOf } from './document-text.ts';

type Table = Readonly<Record<string, unknown>>;

/** For each document of the patch what the config has at its keys; null where it has nothing. */
export function partsUnder(config: string, patch: string): readonly unknown[] {
  const documents = documentsOf(config).filter(isTable);
  return documentsOf(patch)
    .filter(isTable)
    .map((wanted) => {
      const present = documents.find((document) => isSame(document, wanted));
      if (present === undefined) return { ...nameOf(wanted), absent: true };
      return wanted['$patch'] === 'delete'
        ? present
        : { ...nameOf(wanted), ...under(present, wanted) };
    });
}

/** The main document has no kind; the others are told apart by kind and name. */
function isSame(left: Table, right: Table): boolean {
  return left['kind'] === right['kind'] && left['name'] === right['name'];
}

function nameOf({ apiVersion, kind, name }: Table): Table {
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
  };
}

function under(present: Table, wanted: Table): Table {
  const parts: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(wanted)) {
    const held = present[key];
    if (key === '$patch') continue;
    parts[key] = isTable(value) && isTable(held) ? under(held, value) : (held ?? null);
  }
  return parts;
}

function isTable(value: unknown): value is Table {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
