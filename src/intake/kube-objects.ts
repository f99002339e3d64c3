/**
 * Kubernetes objects: manifests, lists as kubectl prints them (also typed ones, whose items leave
 * out apiVersion and kind), and the records of releases inside some of them.
 */
import { badInput, type RegaugeError } from '../base/errors.ts';
import type { Source } from '../base/source.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { ignore, isTable, notRecognised, SNAPSHOT_MANIFEST, textOf } from './intake.ts';
import type { Intake } from './intake.ts';
import { faultOf } from './object-shape.ts';
import { takeReleaseValues } from './releases.ts';
import { jsonTree } from './text/json-tree.ts';
import type { TextTree } from './text/yaml-tree.ts';

/** Kinds that look like objects and are none of a cluster's. */
const NOT_OBJECTS: Readonly<Record<string, string>> = {
  Kustomization: 'a kustomization: give what "kubectl kustomize" prints of it',
  Config: 'a kubeconfig',
  Table: 'a printed table: ask kubectl for -o json or -o yaml',
  Status: 'an answer of the API server, not an object',
  Snapshot: SNAPSHOT_MANIFEST,
  Plan: 'a plan of regauge',
  Rehearsal: 'a report of regauge',
  CheckReport: 'a report of regauge',
};

export interface TypeOfItems {
  readonly apiVersion: string;
  readonly kind: string;
}

/** `PodList` of `v1` → `Pod` of `v1`; undefined for the untyped `List`. */
export function typeOfItems(list: Readonly<Record<string, unknown>>): TypeOfItems | undefined {
  const apiVersion = textOf(list['apiVersion']);
  const kind = textOf(list['kind'])?.replace(/List$/, '');
  return apiVersion === undefined || kind === undefined || kind === ''
    ? undefined
    : { apiVersion, kind };
}

/** Takes an object with its source; what is none is noted with the reason. */
export function takeObject(intake: Intake, tree: TextTree, type?: TypeOfItems): void {
  const value = tree.value;
  if (!isTable(value))
    return notRecognised(intake, tree.source, 'an item of a list is not an object');
  const { source } = tree;
  const kind = textOf(value['kind']) ?? type?.kind ?? '';
  const reason = NOT_OBJECTS[kind];
  if (kind === 'Snapshot' && value['complete'] === false) throw unfinished(source);
  if (reason !== undefined && (kind !== 'Kustomization' || !isTable(value['spec']))) {
    return ignore(intake, source, reason);
  }
  const object = asObject(value, type);
  const fault =
    object === undefined ? 'without metadata.name' : faultOf(object.kind, object.apiVersion, value);
  if (object === undefined || fault !== undefined) {
    const what = kind === '' ? 'a document' : `the ${kind} ${nameIn(value)}`.trimEnd();
    return notRecognised(intake, source, `${what}: ${fault ?? ''}`);
  }
  takeReleaseValues(intake, object, tree);
  const kept =
    object.kind === 'Secret' ? jsonTree({ file: source.file ?? '', start: 0 }, object) : tree;
  intake.objects.push({ object, source: withObject(source, object), tree: kept });
}

/** What was not read yet would look like what is not there. */
function unfinished(source: Source): RegaugeError {
  return badInput(
    'the snapshot was interrupted before it was whole',
    source,
    'Go on with it: regauge snapshot --out <this directory>.',
  );
}

/** Undefined when it lacks a name. Nulls are left out, as the API leaves them out. */
function asObject(
  value: Readonly<Record<string, unknown>>,
  type: TypeOfItems | undefined,
): KubeObject | undefined {
  const metadata = value['metadata'];
  if (!isTable(metadata)) return undefined;
  const name = textOf(metadata['name']) ?? textOf(metadata['generateName']);
  const apiVersion = textOf(value['apiVersion']) ?? type?.apiVersion;
  const kind = textOf(value['kind']) ?? type?.kind;
  if (name === undefined || apiVersion === undefined || kind === undefined) return undefined;
  const added: Record<string, unknown> = {};
  if (NEEDS_SPEC.has(kind) && !isTable(value['spec'])) added['spec'] = {};
  if (NEEDS_STATUS.has(kind) && !isTable(value['status'])) added['status'] = {};
  // Secrets never reach a report (design.md, rule 6): what is not kept cannot leak.
  if (kind === 'Secret') Object.assign(added, { data: undefined, stringData: undefined });
  // As many as there are pods, which tell the same: nothing reads them.
  if (kind === 'EndpointSlice') added['endpoints'] = undefined;
  if (metadata['name'] !== name) added['metadata'] = { ...metadata, name };
  if (value['kind'] === undefined) Object.assign(added, { apiVersion, kind });
  // Nothing to add is the common case, and a snapshot's objects are not copied for nothing.
  if (Object.keys(added).length === 0) return value as unknown as KubeObject; // checked above
  return { ...value, ...added, apiVersion, kind } as KubeObject; // metadata.name checked above
}

function nameIn(value: Readonly<Record<string, unknown>>): string {
  const metadata = value['metadata'];
  return isTable(metadata) ? (textOf(metadata['name']) ?? '') : '';
}

const NEEDS_SPEC = new Set([
  'Node',
  'Service',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'PersistentVolume',
]);
const NEEDS_STATUS = new Set(['Node', 'Pod']);

function withObject(source: Source, { kind, metadata }: KubeObject): Source {
  const { namespace, name } = metadata;
  return { ...source, object: { kind, name, ...(namespace === undefined ? {} : { namespace }) } };
}
