/**
 * Pages, watches and discovery on the twin. A list is one state of the store, read a page at a time;
 * a watch is the store's history from a version on, so that what is too old is expired.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type {
  KubernetesReads,
  ListPage,
  PageOptions,
  ServedResource,
  WatchEvent,
  WatchOptions,
} from '../../ports/index.ts';
import { requireResource, type Resource, resourcesOf } from '../api/served-resources.ts';
import { serverVersion } from '../api/server-version.ts';
import { changeHistoryOf } from '../store/change-history.ts';
import type { World } from '../world.ts';
import { apiCall } from './calls.ts';
import { listedObjects } from './kubernetes-lists.ts';
import { WatchFeed } from './watch-feed.ts';

const PAGE = 500;

export function createKubernetesReads(
  world: World,
): Pick<KubernetesReads, 'pages' | 'watch' | 'version' | 'authenticationFailures' | 'resources'> {
  return {
    pages: <T extends KubeObject>(apiVersion: string, kind: string, options: PageOptions = {}) =>
      pagesOf<T>(world, apiVersion, kind, options),
    watch: <T extends KubeObject>(apiVersion: string, kind: string, options: WatchOptions) =>
      watchOf<T>(world, apiVersion, kind, options),
    authenticationFailures: () => apiCall(world, () => world.api.authenticationFailures()),
    version: () => apiCall(world, () => serverVersion(world)),
    resources: () =>
      apiCall(world, () => ({
        resources: resourcesOf(world.store).all().map(servedResource),
        unavailable: [],
      })),
  };
}

async function* pagesOf<T extends KubeObject>(
  world: World,
  apiVersion: string,
  kind: string,
  options: PageOptions,
): AsyncGenerator<ListPage<T>> {
  const { limit = PAGE, signal } = options;
  const list = await apiCall(world, () => {
    requireResource(world.store, { apiVersion, kind });
    changeHistoryOf(world.store).of(kind);
    const items = listedObjects(world, kind, options).toSorted(byKey);
    return { items, resourceVersion: String(world.store.resourceVersion) };
  });
  const { items, resourceVersion } = list;
  let at = 0;
  do {
    if (at > 0) await apiCall(world, () => undefined);
    requireGoingOn(signal);
    // The caller names the shape it expects of the kind, as with any typed client.
    const page = items.slice(at, at + limit) as readonly KubeObject[] as readonly T[];
    at += limit;
    const remaining = items.length - at;
    yield { items: page, resourceVersion, ...(remaining > 0 ? { remaining } : {}) };
  } while (at < items.length);
}

async function* watchOf<T extends KubeObject>(
  world: World,
  apiVersion: string,
  kind: string,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const feed = await apiCall(world, () => {
    requireResource(world.store, { apiVersion, kind });
    return new WatchFeed(world, kind, options);
  });
  try {
    for (;;) {
      const event = await feed.next();
      if (event === undefined) return;
      yield event as WatchEvent<T>; // as in a list
    }
  } finally {
    feed.close();
  }
}

function servedResource(resource: Resource): ServedResource {
  const { apiVersion, kind, plural, namespaced, subresources, verbs } = resource;
  return { apiVersion, kind, plural, namespaced, subresources, verbs };
}

function requireGoingOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new RegaugeError('interrupted', 'the list was interrupted');
}

/** As etcd has them: by namespace, then by name. */
function byKey(one: KubeObject, other: KubeObject): number {
  const spaces = compare(one.metadata.namespace ?? '', other.metadata.namespace ?? '');
  return spaces === 0 ? compare(one.metadata.name, other.metadata.name) : spaces;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
