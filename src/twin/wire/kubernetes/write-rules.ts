/** What every write is held to: its type, what only the server writes, and what a going object may get. */
import { RegaugeError } from '../../../base/errors.ts';
import { WriteRefusal } from '../../api/writes/write-refusal.ts';
import { ApiError, badRequest, invalid } from './api-error.ts';
import type { Resource } from '../../api/served-resources.ts';
import { isMap, listOf, mapOf, textOf, type Tree } from '../../../base/json-tree.ts';

export function checkType({ apiVersion, kind }: Resource, sent: Tree): void {
  if (!isMap(sent)) throw badRequest('the object provided is no map');
  const told = textOf(sent['kind']);
  const version = textOf(sent['apiVersion']);
  if (told !== '' && told !== kind) {
    throw badRequest(`${told} in version "${version}" cannot be handled as a ${kind}`);
  }
  if (version !== '' && version !== apiVersion) {
    throw badRequest(
      `the API version in the data (${version}) does not match the expected API version (${apiVersion})`,
    );
  }
}

/** What is being deleted waits for nothing more. */
export function refuseNewFinalizers(resource: Resource, before: Tree, after: Tree): void {
  if (before['deletionTimestamp'] === undefined) return;
  const known = listOf(before['finalizers']);
  const added = listOf(after['finalizers']).filter((each) => !known.includes(each));
  if (added.length === 0) return;
  const shown = added.map((each) => JSON.stringify(each)).join(', ');
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`;
  throw invalid(resource, textOf(before['name']), [
    { type: 'Forbidden', field: 'metadata.finalizers', detail },
  ]);
}

/** What only the server writes stays as it is. */
export function keptMetadata(old: Tree, changed: Tree): Tree {
  const before = mapOf(old['metadata']);
  const after = { ...mapOf(changed['metadata']) };
  const result: Record<string, unknown> = { ...after };
  for (const key of SERVER_METADATA) {
    if (key in before) result[key] = before[key];
    else delete result[key];
  }
  return result;
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

/** What the twin's own parts throw, as a Status. */
export function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof WriteRefusal) {
    const { code, reason, causes } = error.refusal;
    return new ApiError(code, reason, error.message, causes === undefined ? undefined : { causes });
  }
  if (!(error instanceof RegaugeError)) return undefined;
  switch (error.code) {
    case 'not-found':
      return new ApiError(404, 'NotFound', error.message);
    case 'conflict':
      return new ApiError(409, 'Conflict', error.message);
    case 'unreachable':
      return new ApiError(500, 'InternalError', `Internal error occurred: ${error.message}`);
    default:
      return badRequest(error.message);
  }
}
