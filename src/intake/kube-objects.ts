/**
 * Kubernetes objects: manifests, lists as kubectl prints them (also typed ones, whose items leave
 * out apiVersion and kind), and the records of releases inside some of them.
 */
import type { Source } from '../base/source.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { ignore, isTable, notRecognised, textOf } from './intake.ts';
import type { Intake } from './intake.ts';
import { takeReleaseValues } from './releases.ts';
import type { TextTree } from './text/yaml-tree.ts';

/** Kinds that look like objects and are none of a cluster's. */
const NOT_OBJECTS: Readonly<Record<string, string>> = {
  Kustomization: 'a kustomization: give what "kubectl kustomize" prints of it',
  Config: 'a kubeconfig',
  Table: 'a printed table: ask kubectl for -o json or -o yaml',
  Status: 'an answer of the API server, not an object',
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
  if (reason !== undefined && (kind !== 'Kustomization' || !isTable(value['spec']))) {
    return ignore(intake, source, reason);
  }
  const object = asObject(value, type);
  if (object === undefined) {
    return notRecognised(
      intake,
      source,
      `a ${kind === '' ? 'document' : kind} without metadata.name`,
    );
  }
  intake.objects.push({ object, source: withObject(source, object), tree });
  takeReleaseValues(intake, object, tree);
}

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
  // What is missing for its kind is seen by whoever reads it: the model's fields are optional.
  const shaped = value['spec'] === undefined && NEEDS_SPEC.has(kind) ? { spec: {} } : {};
  const status = value['status'] === undefined && NEEDS_STATUS.has(kind) ? { status: {} } : {};
  const secret = kind === 'Secret' ? { data: undefined, stringData: undefined } : {};
  if (value['kind'] !== undefined && textOf(metadata['name']) !== undefined && kind !== 'Secret') {
    if (!('spec' in shaped) && !('status' in status)) return value as unknown as KubeObject; // checked above
  }
  return {
    ...value,
    ...shaped,
    ...status,
    ...secret,
    apiVersion,
    kind,
    metadata: { ...metadata, name },
  };
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
