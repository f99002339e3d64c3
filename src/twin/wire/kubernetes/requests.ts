/** What a path asks for: `/api/v1/namespaces/<ns>/pods/<name>/<subresource>` and its like. */
import { noSuchPath } from './api-error.ts';
import type { Resource, ResourceRegistry } from '../../api/served-resources.ts';

export interface PathTarget {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly subresource: string | undefined;
}

/** Undefined for a path that names no resource. */
export function pathTarget(path: string): PathTarget | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const [root, ...rest] = parts;
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : (rest.shift() ?? '');
  const version = rest.shift() ?? '';
  const isWithin = rest[0] === 'namespaces' && rest.length > 2 && !isPartOfNamespace(rest[2] ?? '');
  const namespace = isWithin ? rest[1] : undefined;
  const [plural, name = '', subresource, more] = isWithin ? rest.slice(2) : rest;
  if (plural === undefined || more !== undefined) return undefined;
  return { group, version, plural, namespace, name, subresource };
}

/** `/api/v1/namespaces/<name>/finalize` is no resource within the namespace. */
function isPartOfNamespace(part: string): boolean {
  return part === 'finalize' || part === 'status';
}

export function resourceAt(registry: ResourceRegistry, target: PathTarget): Resource {
  const resource = registry.find(target.group, target.version, target.plural);
  if (resource === undefined) throw noSuchPath();
  const isMisplaced = target.namespace !== undefined && !resource.namespaced;
  if (isMisplaced) throw noSuchPath();
  return resource;
}
