/**
 * Helm's record of a release, as far as a snapshot keeps it: which chart, how it stands, and the
 * values that were given, without what looks like a secret. The rest of it (templates, rendered
 * Secrets) is not looked at.
 */
import { gunzipSync } from 'node:zlib';
import { isSecretKey, REDACTED, redactData } from '../../base/redaction.ts';
import type { KubeObject } from '../../model/kubernetes.ts';

export interface ReleaseRecord {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  readonly status: string;
  readonly updated: string;
  readonly chart: string;
  readonly chartVersion: string;
  readonly appVersion: string;
  /** Redacted. */
  readonly values: unknown;
}

/** A record of 1 MiB holds less; what unpacks to more is none. */
const UNPACKED_MAX = 32 * 2 ** 20;

/** Throws what unpacking or parsing throws. */
export function readRecord(object: KubeObject): ReleaseRecord {
  const record = tableOf(JSON.parse(unpacked(object)));
  const info = tableOf(record['info']);
  const chart = tableOf(tableOf(record['chart'])['metadata']);
  return {
    name: String(record['name']),
    namespace: object.metadata.namespace ?? '',
    revision: Number(record['version']),
    status: String(info['status']),
    updated: String(info['last_deployed'] ?? ''),
    chart: String(chart['name'] ?? ''),
    chartVersion: String(chart['version'] ?? ''),
    appVersion: String(chart['appVersion'] ?? ''),
    values: redactVariables(redactData(record['config'] ?? {})),
  };
}

/** gzip in base64; a Secret's data are in base64 besides. */
function unpacked({ kind, ...object }: KubeObject): string {
  const text = String(tableOf(tableOf({ ...object })['data'])['release'] ?? '');
  const inner = kind === 'Secret' ? Buffer.from(text, 'base64').toString('latin1') : text;
  const packed = Buffer.from(inner, 'base64');
  return gunzipSync(packed, { maxOutputLength: UNPACKED_MAX }).toString('utf8');
}

/** `{name: DB_PASSWORD, value: …}`, as lists of environment variables have it. */
function redactVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactVariables);
  if (value === null || typeof value !== 'object') return value;
  const table = tableOf(value);
  const isSecret = typeof table['name'] === 'string' && isSecretKey(table['name']);
  return Object.fromEntries(
    Object.entries(table).map(([key, each]) => [
      key,
      isSecret && key === 'value' ? REDACTED : redactVariables(each),
    ]),
  );
}

function tableOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
}
