/**
 * Where a kind is found on this server. Built-in kinds are where they always were; custom ones are
 * asked for once, and remembered when they are there.
 */
import { RegaugeError } from '../../base/errors.ts';
import { BUILT_IN_RESOURCES } from '../../knowledge/api-resources.ts';
import type { CallOptions, ServedResource, ServedResources } from '../../ports/index.ts';
import type { ApiClient } from './api-client.ts';
import { isMap, listOf, mapOf } from '../../base/json-tree.ts';
import { StatusError } from './status.ts';

export interface KindPlace {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const BUILT_IN = new Map<string, KindPlace>(
  BUILT_IN_RESOURCES.map((place) => [`${place.apiVersion}/${place.kind}`, place]),
);

export class Kinds {
  private readonly client: ApiClient;
  private readonly found = new Map<string, KindPlace>();

  constructor(client: ApiClient) {
    this.client = client;
  }

  /** Undefined when the server does not serve it. */
  async find(
    apiVersion: string,
    kind: string,
    options: CallOptions = {},
  ): Promise<KindPlace | undefined> {
    const key = `${apiVersion}/${kind}`;
    const known = BUILT_IN.get(key) ?? this.found.get(key);
    if (known !== undefined) return known;
    for (const { subresources: _, verbs: __, ...place } of await this.versionOf(
      apiVersion,
      options,
    ))
      this.found.set(`${apiVersion}/${place.kind}`, place);
    return this.found.get(key);
  }

  async require(apiVersion: string, kind: string, options?: CallOptions): Promise<KindPlace> {
    const found = await this.find(apiVersion, kind, options);
    if (found !== undefined) return found;
    throw notServed(apiVersion, kind);
  }

  /** Aggregated discovery in two requests (≥ 1.26), else one request for each group version. */
  async all(options: CallOptions): Promise<ServedResources> {
    const resources: ServedResource[] = [];
    const unavailable: string[] = [];
    const accept = `${DISCOVERY};v=v2;as=APIGroupDiscoveryList,${DISCOVERY};v=v2beta1;as=APIGroupDiscoveryList,application/json`;
    for (const path of ['/api', '/apis']) {
      const answer = mapOf(
        await this.client.json({ method: 'GET', path, accept, isRepeatable: true, ...options }),
      );
      if (answer['kind'] === 'APIGroupDiscoveryList') {
        for (const item of listOf(answer['items'])) readGroup(mapOf(item), resources, unavailable);
        continue;
      }
      for (const version of versionsIn(answer)) {
        const served = await this.versionOf(version, options).catch((error: unknown) => {
          if (!(error instanceof StatusError)) throw error;
          unavailable.push(version);
          return [];
        });
        resources.push(...served);
      }
    }
    return { resources, unavailable };
  }

  private async versionOf(apiVersion: string, options: CallOptions): Promise<ServedResource[]> {
    const path = groupPath(apiVersion);
    try {
      const answer = await this.client.json({
        method: 'GET',
        path,
        isRepeatable: true,
        ...options,
      });
      return readLegacy(apiVersion, listOf(mapOf(answer)['resources']));
    } catch (error) {
      if (error instanceof StatusError && error.httpStatus === 404) return [];
      throw error;
    }
  }
}

const DISCOVERY = 'application/json;g=apidiscovery.k8s.io';

export function notServed(apiVersion: string, kind: string): RegaugeError {
  return new RegaugeError('not-found', `the cluster serves no ${kind} of ${apiVersion}`, {
    hint: 'Its definition is not installed, or another version of it is (`kubectl api-resources`).',
  });
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The path of a kind's objects, of one of them, or of a part of it. */
export function pathOf(
  { apiVersion, plural, namespaced }: KindPlace,
  namespace: string | undefined,
  ...below: readonly string[]
): string {
  const space = namespaced && namespace !== undefined ? ['namespaces', namespace] : [];
  const names = [...space, plural, ...below].map(encodeURIComponent);
  return `${groupPath(apiVersion)}/${names.join('/')}`;
}

function versionsIn(answer: Readonly<Record<string, unknown>>): string[] {
  const core = listOf(answer['versions']).filter((version) => typeof version === 'string');
  const groups = listOf(answer['groups']).flatMap((group) =>
    listOf(mapOf(group)['versions']).map((version) => mapOf(version)['groupVersion']),
  );
  return [...core, ...groups.filter((version) => typeof version === 'string')];
}

function readLegacy(apiVersion: string, entries: readonly unknown[]): ServedResource[] {
  const rows = entries.map(mapOf).filter(({ name }) => typeof name === 'string');
  const parts = rows.map(({ name }) => String(name).split('/'));
  return rows.flatMap((row): ServedResource[] => {
    const name = String(row['name']);
    if (name.includes('/') || typeof row['kind'] !== 'string') return [];
    return [
      {
        apiVersion,
        kind: row['kind'],
        plural: name,
        namespaced: row['namespaced'] === true,
        verbs: listOf(row['verbs']).map(String),
        subresources: parts.flatMap(([owner, part]) =>
          owner === name && part !== undefined ? [part] : [],
        ),
      },
    ];
  });
}

function readGroup(
  item: Readonly<Record<string, unknown>>,
  resources: ServedResource[],
  unavailable: string[],
): void {
  const group = mapOf(item['metadata'])['name'];
  for (const each of listOf(item['versions']).filter(isMap)) {
    const { version } = each;
    const isCore = group === undefined || group === '';
    const apiVersion = isCore ? String(version) : `${String(group)}/${String(version)}`;
    if (each['freshness'] === 'Stale') unavailable.push(apiVersion);
    for (const resource of listOf(each['resources']).filter(isMap)) {
      const { resource: plural, scope, verbs, subresources } = resource;
      const { kind } = mapOf(resource['responseKind']);
      if (typeof kind !== 'string' || typeof plural !== 'string') continue;
      resources.push({
        apiVersion,
        kind,
        plural,
        namespaced: scope === 'Namespaced',
        verbs: listOf(verbs).map(String),
        subresources: listOf(subresources).map((part) => String(mapOf(part)['subresource'])),
      });
    }
  }
}
