/** What a patch would replace in a machine config, and nothing else of it: a config holds keys. */
import { type ConfigDocument, configDocuments, isSameDocument } from './config-documents.ts';

/** For each document of the patch what the config has at its keys; null where it has nothing. */
export function partsUnder(config: string, patch: string): readonly unknown[] {
  const documents = configDocuments(config);
  return configDocuments(patch).map((wanted) => {
    const present = documents.find((document) => isSameDocument(document, wanted));
    if (present === undefined) return { ...nameOf(wanted), absent: true };
    return wanted['$patch'] === 'delete'
      ? present
      : { ...nameOf(wanted), ...under(present, wanted) };
  });
}

function nameOf({ apiVersion, kind, name }: ConfigDocument): ConfigDocument {
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
  };
}

function under(present: ConfigDocument, wanted: ConfigDocument): ConfigDocument {
  const parts: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(wanted)) {
    const held = present[key];
    if (key === '$patch') continue;
    parts[key] = isTable(value) && isTable(held) ? under(held, value) : (held ?? null);
  }
  return parts;
}

function isTable(value: unknown): value is ConfigDocument {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
