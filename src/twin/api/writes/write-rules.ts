/**
 * What every write of an object is held to, whoever writes (KK apiserver/pkg/registry/rest/{create,
 * update}.go): what only the server sets stays, the version that was read must be the one that is
 * there, what is going takes no new finalizers, and lists merge as their kind says.
 */
import { listOf, mapOf, textOf, type Tree, valueAt } from '../../../base/json-tree.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { Resource } from '../served-resources.ts';
import { MergeRules } from './list-types.ts';
import { conflict, invalid, WriteRefusal } from './write-refusal.ts';

/** The kind's status is written through a door of its own. */
export function hasStatus({ subresources }: Pick<Resource, 'subresources'>): boolean {
  return subresources.includes('status');
}

const BUILT_IN_RULES = new MergeRules();

/** Lists of custom kinds are whole unless their definition says otherwise. */
export function mergeRulesOf({ definition, group }: Resource): MergeRules {
  const isBuiltIn = definition === undefined && (!group.includes('.') || group.endsWith('.k8s.io'));
  if (isBuiltIn) return BUILT_IN_RULES;
  return new MergeRules(mapOf(valueAt(definition, 'schema', 'openAPIV3Schema')));
}

/** KK apiserver/pkg/storage/errors.go: ErrResourceVersionSetOnCreate. */
export function refuseVersion(given: Tree): void {
  if (textOf(valueAt(given, 'metadata', 'resourceVersion')) === '') return;
  const message = 'resourceVersion should not be set on objects to be created';
  throw new WriteRefusal({ code: 500, reason: '' }, message);
}

/** Of a change that carries what it was made for: that object, and that version of it. */
export function requireMeant(
  resource: Resource,
  live: KubeObject,
  seen: { readonly uid?: unknown; readonly resourceVersion?: unknown },
): void {
  requirePreconditions(resource, live, { uid: seen.uid });
  const version = textOf(seen.resourceVersion);
  if (version === '' || version === '0' || version === live.metadata.resourceVersion) return;
  throw conflict(resource, live.metadata.name);
}

/** Of a deletion: the very object that was meant, at the version that was meant. */
export function requirePreconditions(
  resource: Resource,
  { metadata }: KubeObject,
  preconditions: { readonly uid?: unknown; readonly resourceVersion?: unknown },
): void {
  for (const key of ['uid', 'resourceVersion'] as const) {
    const wanted = textOf(preconditions[key]);
    if (wanted === '' || wanted === metadata[key]) continue;
    const what = key === 'uid' ? 'UID' : 'ResourceVersion';
    const why = `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${metadata[key] ?? ''}`;
    throw conflict(resource, metadata.name, why);
  }
}

const SERVER_METADATA = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'name',
  'namespace',
  'resourceVersion',
  'uid',
] as const;

/** The metadata of a change, with what only the server writes as it is. */
export function keptMetadata(resource: Resource, old: Tree, changed: Tree): Tree {
  const before = mapOf(old['metadata']);
  const result: Record<string, unknown> = { ...mapOf(changed['metadata']) };
  for (const key of SERVER_METADATA) {
    if (key in before) result[key] = before[key];
    else delete result[key];
  }
  if (before['deletionTimestamp'] !== undefined) refuseNewFinalizers(resource, before, result);
  return result;
}

/** What is being deleted waits for nothing more. */
function refuseNewFinalizers(resource: Resource, before: Tree, after: Tree): void {
  const known = listOf(before['finalizers']);
  const added = listOf(after['finalizers']).filter((each) => !known.includes(each));
  if (added.length === 0) return;
  const shown = added.map((each) => JSON.stringify(each)).join(', ');
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`;
  throw invalid(resource, textOf(before['name']), [
    { type: 'Forbidden', field: 'metadata.finalizers', detail },
  ]);
}
