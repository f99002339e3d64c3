/**
 * What Helm prints, as data. Warnings of Helm, of the API server and of plugins come on either
 * stream, so that the answer is looked for and not expected at the first byte.
 */
import { parseAllDocuments } from 'yaml';
import { RegaugeError } from '../../base/errors.ts';
import { REDACTED } from '../../base/redaction.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ReleaseRevision, ReleaseState } from '../../ports/index.ts';

type Table = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is Table {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The last line, or else the text from some line on, that is JSON of the form looked for. */
function jsonIn<T>(text: string, isWanted: (value: unknown) => value is T, what: string): T {
  const lines = text.split('\n');
  for (const line of lines.toReversed()) {
    const value = parsed(line);
    if (isWanted(value)) return value;
  }
  for (const at of lines.keys()) {
    if (!/^\s*[[{]/.test(lines[at] ?? '')) continue;
    const value = parsed(lines.slice(at).join('\n'));
    if (isWanted(value)) return value;
  }
  throw new RegaugeError('refused', `helm ${what} printed something that is no answer`, {
    hint: 'Run it by hand: a plugin or a wrapper of helm may print between.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const STATES: ReadonlySet<string> = new Set<ReleaseState>([
  'deployed',
  'failed',
  'pending-install',
  'pending-upgrade',
  'pending-rollback',
  'superseded',
  'uninstalling',
  'uninstalled',
  'unknown',
]);

function isState(text: string): text is ReleaseState {
  return STATES.has(text);
}

function isHistory(value: unknown): value is readonly Table[] {
  return Array.isArray(value) && value.every((line) => isTable(line) && 'revision' in line);
}

function isValues(value: unknown): value is Table | null {
  return value === null || isTable(value);
}

/** `helm history -o json`, oldest first. */
export function historyIn(text: string): readonly ReleaseRevision[] {
  return jsonIn(text, isHistory, 'history').map((line) => {
    const status = String(line['status']);
    return {
      revision: Number(line['revision']),
      status: isState(status) ? status : 'unknown',
      chartVersion: versionOf(String(line['chart'])),
      updatedAt: String(line['updated'] ?? ''),
      description: String(line['description'] ?? ''),
    };
  });
}

/** `cilium-1.16.5` and `rke2-cilium-1.16.500+up1.16.5`: the version begins at the first number. */
function versionOf(chart: string): string {
  return /-v?(\d+\.\d+.*)$/.exec(chart)?.[1] ?? chart;
}

/** `helm get values -o json`: null where none were given. */
export function valuesIn(text: string): Table {
  return jsonIn(text, isValues, 'get values') ?? {};
}

/** Objects of a rendering; what stands before its first document is no part of it. */
export function objectsIn(text: string): readonly KubeObject[] {
  const start = text.search(/^---\s*$/m);
  if (start < 0) return [];
  // Helm renders YAML 1.1.
  return parseAllDocuments(text.slice(start), { version: '1.1' }).flatMap((document) => {
    const object: unknown = document.toJS();
    return isObject(object) ? [withoutSecrets(object)] : [];
  });
}

function isObject(value: unknown): value is KubeObject {
  return isTable(value) && 'apiVersion' in value && 'kind' in value && isTable(value['metadata']);
}

function withoutSecrets(object: KubeObject): KubeObject {
  if (object.kind !== 'Secret') return object;
  const withheld = Object.entries(object).map(([key, value]: [string, unknown]) => [
    key,
    (key === 'data' || key === 'stringData') && isTable(value)
      ? Object.fromEntries(Object.keys(value).map((name) => [name, REDACTED]))
      : value,
  ]);
  return { ...object, ...Object.fromEntries(withheld) };
}
