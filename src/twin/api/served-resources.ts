/**
 * What the twin's API server serves: the built-in kinds, what CustomResourceDefinitions in its store
 * define, and kinds of objects that were read from a cluster without their definition.
 */
import { RegaugeError } from '../../base/errors.ts';
import {
  type ApiResource,
  BUILT_IN_RESOURCES,
  definedResources,
  pluralOf,
  RESOURCE_VERBS,
} from '../../knowledge/api-resources.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { listOf, mapOf, textOf, type Tree } from '../../base/json-tree.ts';

export interface Resource extends ApiResource {
  readonly group: string;
  readonly version: string;
  readonly singular: string;
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** The store knows kinds without groups; a custom kind that is called like a built-in one is told apart. */
  readonly storedKind: string;
  /** The version's entry in its CustomResourceDefinition. */
  readonly definition?: Tree;
}

export interface Group {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly string[];
}

/** Groups of the built-in kinds; events of both groups are the same ones. */
const BUILT_IN_GROUPS = new Map(
  BUILT_IN_RESOURCES.filter(({ apiVersion }) => apiVersion !== 'events.k8s.io/v1').map(
    ({ kind, apiVersion }) => [kind, splitVersion(apiVersion)[0]],
  ),
);

/** In `kubectl get all` (KK pkg/registry, per kind). */
const IN_ALL = new Set([
  'CronJob',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'Job',
  'Pod',
  'ReplicaSet',
  'ReplicationController',
  'Service',
  'StatefulSet',
]);

const BUILT_IN: readonly Resource[] = BUILT_IN_RESOURCES.map((each) => resourceOf(each));

const registries = new WeakMap<ObjectStore, ResourceRegistry>();

/** One for all who ask of the same store: in memory, and over the wire. */
export function resourcesOf(store: ObjectStore): ResourceRegistry {
  let registry = registries.get(store);
  if (registry === undefined) registries.set(store, (registry = new ResourceRegistry(store)));
  return registry;
}

/** A kind that is neither built in nor defined, and of which there is no object, is `not-found`. */
export function requireResource(
  store: ObjectStore,
  { apiVersion, kind }: Pick<Resource, 'apiVersion' | 'kind'>,
): Resource {
  const resource = resourcesOf(store).ofKind(apiVersion, kind);
  if (resource !== undefined) return resource;
  throw new RegaugeError('not-found', 'the server could not find the requested resource', {
    hint: `${kind} of ${apiVersion} is not served by this cluster: is its definition installed?`,
  });
}

export class ResourceRegistry {
  private readonly store: ObjectStore;
  private byPath = new Map<string, Resource>();
  private byKind = new Map<string, Resource>();
  private kindCount = -1;
  private definitionsVersion = '';

  constructor(store: ObjectStore) {
    this.store = store;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    this.refresh();
    return this.byPath.get(pathOf({ group, version, plural }));
  }

  ofKind(apiVersion: string, kind: string): Resource | undefined {
    this.refresh();
    return this.byKind.get(`${apiVersion}/${kind}`);
  }

  all(): readonly Resource[] {
    this.refresh();
    return [...this.byPath.values()];
  }

  /** The core group first, then by name. */
  groups(): readonly Group[] {
    const versions = new Map<string, Set<string>>();
    for (const { group, version } of this.all()) {
      let known = versions.get(group);
      if (known === undefined) versions.set(group, (known = new Set()));
      known.add(version);
    }
    return [...versions]
      .map(([name, known]) => ({ name, versions: [...known].toSorted(byVersion) }))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  }

  private refresh(): void {
    const definitions = this.store.list<string>('CustomResourceDefinition');
    const kinds = this.store.kindNames();
    const version = definitions.map(({ metadata }) => metadata.resourceVersion).join(' ');
    if (kinds.length === this.kindCount && version === this.definitionsVersion) return;
    this.kindCount = kinds.length;
    this.definitionsVersion = version;
    this.byPath = new Map(BUILT_IN.map((each) => [pathOf(each), each]));
    for (const definition of definitions) this.addDefined(definition);
    for (const kind of kinds) this.addSeen(this.store.first(kind));
    this.byKind = new Map(
      [...this.byPath.values()].map((each) => [`${each.apiVersion}/${each.kind}`, each]),
    );
  }

  private addDefined(object: KubeObject): void {
    const spec = mapOf(mapOf(object)['spec']);
    const names = mapOf(spec['names']);
    for (const each of definedResources(object)) {
      const [, version] = splitVersion(each.apiVersion);
      const definition = listOf(spec['versions']).find(
        (candidate) => mapOf(candidate)['name'] === version,
      );
      const resource = resourceOf(each, mapOf(definition));
      this.byPath.set(pathOf(resource), {
        ...resource,
        singular: textOf(names['singular']) || resource.singular,
        categories: listOf(names['categories']).map(textOf),
      });
    }
  }

  private addSeen(object: KubeObject | undefined): void {
    if (object === undefined) return;
    const { apiVersion, metadata } = object;
    const [group] = splitVersion(apiVersion);
    const suffix = `.${group}`;
    const { kind: stored } = object;
    const kind = stored.endsWith(suffix) ? stored.slice(0, -suffix.length) : stored;
    const known = [...this.byPath.values()].some(
      (each) => each.kind === kind && each.group === group,
    );
    if (known) return;
    const resource = resourceOf({
      apiVersion,
      kind,
      plural: pluralOf(kind),
      namespaced: metadata.namespace !== undefined,
      subresources: [],
      shortNames: [],
    });
    this.byPath.set(pathOf(resource), resource);
  }
}

/** `apps/v1` → group and version; `v1` is of the core group. */
function splitVersion(apiVersion: string): readonly [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

/** `deployments.apps`, as the server speaks of kinds; core kinds go by their name alone. */
export function qualifiedName({ group, plural }: Pick<Resource, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

export function groupVersion({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

function resourceOf(resource: ApiResource, definition?: Tree): Resource {
  const [group, version] = splitVersion(resource.apiVersion);
  const { kind } = resource;
  return {
    ...resource,
    group,
    version,
    singular: kind.toLowerCase(),
    categories: IN_ALL.has(kind) && definition === undefined ? ['all'] : [],
    verbs: RESOURCE_VERBS,
    storedKind: storedKindOf(kind, group),
    ...(definition === undefined ? {} : { definition }),
  };
}

function storedKindOf(kind: string, group: string): string {
  const builtIn = BUILT_IN_GROUPS.get(kind);
  const same = builtIn === undefined || builtIn === group || group === 'events.k8s.io';
  return same ? kind : `${kind}.${group}`;
}

function pathOf({
  group,
  version,
  plural,
}: Pick<Resource, 'group' | 'version' | 'plural'>): string {
  return `${group}/${version}/${plural}`;
}

/** GA before beta before alpha, new before old (KK apimachinery/pkg/version/helpers.go). */
function byVersion(left: string, right: string): number {
  const [leftRank, rightRank] = [rankOf(left), rankOf(right)];
  for (const [index, rank] of leftRank.entries()) {
    const difference = (rightRank[index] ?? 0) - rank;
    if (difference !== 0) return difference;
  }
  return left < right ? -1 : 1;
}

function rankOf(version: string): readonly number[] {
  const parts = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (parts === null) return [0, 0, 0];
  const [, major, stage, minor] = parts;
  return [stage === undefined ? 3 : stage === 'beta' ? 2 : 1, Number(major), Number(minor ?? 0)];
}
