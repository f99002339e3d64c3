/**
 * What the twin's API server says it serves: the built-in kinds, what definitions in its storage add,
 * and any other kind of which it holds objects (a cluster's files seldom hold the definitions).
 */
import {
  BUILT_IN_RESOURCES,
  type ApiResource,
  definedResources,
  pluralOf,
  RESOURCE_VERBS,
} from '../../knowledge/api-resources.ts';
import type { ServedResource, ServerVersion } from '../../ports/index.ts';
import type { World } from '../world.ts';

export function servedResources(world: World): readonly ServedResource[] {
  return twinResources(world).map(
    ({ apiVersion, kind, plural, namespaced, subresources }): ServedResource => ({
      apiVersion,
      kind,
      plural,
      namespaced,
      subresources,
      verbs: RESOURCE_VERBS,
    }),
  );
}

function twinResources({ store }: Pick<World, 'store'>): readonly ApiResource[] {
  const found = new Map<string, ApiResource>();
  const add = (resource: ApiResource): void => {
    const key = `${resource.apiVersion}/${resource.kind}`;
    if (!found.has(key)) found.set(key, resource);
  };
  for (const resource of BUILT_IN_RESOURCES) add(resource);
  for (const definition of store.list<string>('CustomResourceDefinition')) {
    for (const resource of definedResources(definition)) add(resource);
  }
  for (const kind of store.kindNames()) {
    const first = store.first(kind);
    if (first === undefined) continue;
    const { apiVersion, metadata } = first;
    add({
      apiVersion,
      kind,
      plural: pluralOf(kind),
      namespaced: metadata.namespace !== undefined,
      subresources: [],
      shortNames: [],
    });
  }
  return [...found.values()];
}

export function serverVersion({ versions }: Pick<World, 'versions'>): ServerVersion {
  const [major = '', minor = ''] = versions.kubernetes.split('.');
  return { major, minor, gitVersion: `v${versions.kubernetes}` };
}
