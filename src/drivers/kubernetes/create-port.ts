/** The Kubernetes port over one API client. */
import type { KubeObject } from '../../model/kubernetes.ts';
import type {
  CallOptions,
  KubernetesPort,
  ListPage,
  ObjectAddress,
  PageOptions,
  PatchBody,
  ServerVersion,
  WatchEvent,
  WatchOptions,
} from '../../ports/index.ts';
import type { ApiClient } from './api-client.ts';
import { authenticationFailures } from './authentication-failures.ts';
import { execInContainer } from './exec.ts';
import { mapOf } from '../../base/json-tree.ts';
import { Kinds } from './kinds.ts';
import { listPages } from './list-pages.ts';
import { logLines } from './logs.ts';
import { calls, Objects } from './objects.ts';
import { parsedPages, RAW_PAGES } from './page-forms.ts';
import { watchEvents } from './watch.ts';

export function createKubernetesPort(client: ApiClient): KubernetesPort {
  const kinds = new Kinds(client);
  const objects = new Objects(client, kinds);
  const pages = async function* <T extends KubeObject>(
    apiVersion: string,
    kind: string,
    options: PageOptions = {},
  ): AsyncGenerator<ListPage<T>> {
    const place = await kinds.require(apiVersion, kind, calls(options));
    yield* listPages(client, place, options, parsedPages(place)) as AsyncGenerator<ListPage<T>>;
  };
  // The caller names the shape it expects of the kind, as with any typed client.
  return {
    get: <T extends KubeObject>(address: ObjectAddress, options?: CallOptions) =>
      objects.get(address, options) as Promise<T | undefined>,
    list: async <T extends KubeObject>(apiVersion: string, kind: string, options = {}) => {
      const place = await kinds.find(apiVersion, kind, calls(options));
      return place === undefined ? [] : collected(pages<T>(apiVersion, kind, options));
    },
    pages,
    rawPages: async function* (apiVersion: string, kind: string, options: PageOptions = {}) {
      const place = await kinds.require(apiVersion, kind, calls(options));
      yield* listPages(client, place, options, RAW_PAGES);
    },
    watch: async function* <T extends KubeObject>(
      apiVersion: string,
      kind: string,
      options: WatchOptions,
    ) {
      const place = await kinds.require(apiVersion, kind, calls(options));
      yield* watchEvents(client, place, options) as AsyncGenerator<WatchEvent<T>>;
    },
    version: (options) => versionOf(client, options),
    authenticationFailures: (options) => authenticationFailures(client, options),
    resources: (options = {}) => kinds.all(calls(options)),
    create: <T extends KubeObject>(object: T, options = {}) =>
      objects.create(object, options) as Promise<T>,
    apply: <T extends KubeObject>(object: T, options = {}) =>
      objects.apply(object, options) as Promise<T>,
    replace: <T extends KubeObject>(object: T, options = {}) =>
      objects.replace(object, options) as Promise<T>,
    patch: <T extends KubeObject>(address: ObjectAddress, patch: PatchBody, options = {}) =>
      objects.patch(address, patch, options) as Promise<T>,
    delete: (address, options) => objects.delete(address, options),
    evict: (namespace, pod, options = {}) => objects.evict(namespace, pod, options),
    exec: (request) => execInContainer(client, request),
    logs: (request) => logLines(client, request),
  };
}

async function collected<T extends KubeObject>(
  pages: AsyncIterable<ListPage<T>>,
): Promise<readonly T[]> {
  let all: T[] = [];
  for await (const { items, restarted } of pages) {
    if (restarted === true) all = [];
    for (const item of items) all.push(item);
  }
  return all;
}

async function versionOf(client: ApiClient, options: CallOptions = {}): Promise<ServerVersion> {
  const request = { method: 'GET', path: '/version', isRepeatable: true, ...calls(options) };
  const { major, minor, gitVersion } = mapOf(await client.json(request));
  return { major: String(major), minor: String(minor), gitVersion: String(gitVersion) };
}
