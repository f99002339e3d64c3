/** Canonical JSON: object keys sorted, no white space; the form that is hashed and compared. */
import { createHash } from 'node:crypto';

export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sorted);
  const held = value as Readonly<Record<string, unknown>>; // neither null nor a list
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(held).sort()) {
    if (key === '__proto__') return withoutPrototype(held);
    result[key] = sorted(held[key]);
  }
  return result;
}

/** Without a prototype, `__proto__` is a key as any other; such objects are slow. */
function withoutPrototype(held: Readonly<Record<string, unknown>>): unknown {
  const result: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(held).sort()) result[key] = sorted(held[key]);
  return result;
}

/** `sha256:<hex>` of the canonical form. */
export function contentHash(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
