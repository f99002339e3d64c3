/** Canonical JSON: object keys sorted, no white space; the form that is hashed and compared. */
import { createHash } from 'node:crypto';

export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = new Map<string, unknown>(Object.entries(value));
  // Without a prototype, `__proto__` is a key as any other.
  const result: Record<string, unknown> = Object.create(null);
  for (const key of [...entries.keys()].sort()) result[key] = sorted(entries.get(key));
  return result;
}

/** `sha256:<hex>` of the canonical form. */
export function contentHash(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
