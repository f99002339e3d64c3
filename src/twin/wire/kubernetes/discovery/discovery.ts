/**
 * Discovery: which groups, versions and resources there are, aggregated (KK staging/src/k8s.io/api/
 * apidiscovery/v2) and as it was before, one document per group version.
 */
import {
  groupVersion,
  type Resource,
  type ResourceRegistry,
} from '../../../api/served-resources.ts';
import type { Tree } from '../../../../base/json-tree.ts';

/** Kinds that are asked and answered, and stored nowhere. */
const REVIEWS: Readonly<
  Record<string, readonly (readonly [plural: string, kind: string, namespaced?: true])[]>
> = {
  'authentication.k8s.io': [
    ['selfsubjectreviews', 'SelfSubjectReview'],
    ['tokenreviews', 'TokenReview'],
  ],
  'authorization.k8s.io': [
    ['localsubjectaccessreviews', 'LocalSubjectAccessReview', true],
    ['selfsubjectaccessreviews', 'SelfSubjectAccessReview'],
    ['selfsubjectrulesreviews', 'SelfSubjectRulesReview'],
    ['subjectaccessreviews', 'SubjectAccessReview'],
  ],
};

interface Listed extends Pick<
  Resource,
  'group' | 'version' | 'kind' | 'plural' | 'singular' | 'namespaced'
> {
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly string[];
}

interface Served {
  readonly group: string;
  readonly versions: readonly { readonly version: string; readonly resources: readonly Listed[] }[];
}

export class Discovery {
  private readonly registry: ResourceRegistry;

  constructor(registry: ResourceRegistry) {
    this.registry = registry;
  }

  /** `/api` or `/apis`, everything in one document. */
  aggregated(which: 'core' | 'groups', version: string): Tree {
    const groups = this.served().filter(({ group }) => (group === '') === (which === 'core'));
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: groups.map(({ group, versions }) => ({
        metadata: { name: group, creationTimestamp: null },
        versions: versions.map(({ version: name, resources }) => ({
          version: name,
          resources: resources.map(aggregatedResource),
          freshness: 'Current',
        })),
      })),
    };
  }

  /** `/apis` as it was before. */
  groupList(): Tree {
    const groups = this.served().filter(({ group }) => group !== '');
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) };
  }

  /** `/apis/<group>`; undefined where there is none. */
  group(name: string): Tree | undefined {
    const found = this.served().find(({ group }) => group === name);
    return found === undefined
      ? undefined
      : { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(found) };
  }

  /** `/api/v1`, `/apis/<group>/<version>`; undefined where there is none. */
  resourceList(group: string, version: string): Tree | undefined {
    const found = this.served()
      .find((each) => each.group === group)
      ?.versions.find((each) => each.version === version);
    if (found === undefined) return undefined;
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: groupVersion({ group, version }),
      resources: found.resources.flatMap((resource) => [
        plainResource(resource),
        ...resource.subresources.map((name) => plainSubresource(resource, name)),
      ]),
    };
  }

  private served(): readonly Served[] {
    const all: readonly Listed[] = this.registry.all();
    const stored = this.registry.groups().map(({ name, versions }) => ({
      group: name,
      versions: versions.map((version) => ({
        version,
        resources: all.filter((each) => each.group === name && each.version === version),
      })),
    }));
    const reviews = Object.entries(REVIEWS).map(([group, rows]) => ({
      group,
      versions: [{ version: 'v1', resources: rows.map((row) => reviewOf(group, row)) }],
    }));
    return [...stored, ...reviews];
  }
}

function reviewOf(
  group: string,
  [plural, kind, namespaced]: readonly [plural: string, kind: string, namespaced?: true],
): Listed {
  return {
    group,
    version: 'v1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: namespaced === true,
    verbs: ['create'],
    shortNames: [],
    categories: [],
    subresources: [],
  };
}

function groupOf({ group, versions }: Served): Tree {
  const all = versions.map(({ version }) => ({
    groupVersion: groupVersion({ group, version }),
    version,
  }));
  return { name: group, versions: all, preferredVersion: all[0] };
}

function aggregatedResource(resource: Listed): Tree {
  const { group, version, kind, plural, singular, namespaced, verbs } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...list('shortNames', resource.shortNames),
    ...list('categories', resource.categories),
    ...list(
      'subresources',
      resource.subresources.map((name) => {
        const { kind: responseKind, verbs: subVerbs } = subresourceOf(resource, name);
        return { subresource: name, responseKind, verbs: subVerbs };
      }),
    ),
  };
}

function plainResource(resource: Listed): Tree {
  const { kind, plural, singular, namespaced, verbs } = resource;
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...list('shortNames', resource.shortNames),
    ...list('categories', resource.categories),
  };
}

function plainSubresource(resource: Listed, name: string): Tree {
  const { kind, verbs } = subresourceOf(resource, name);
  const isOwn = kind.kind === resource.kind;
  return {
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(isOwn ? {} : { group: kind.group, version: kind.version }),
    kind: kind.kind,
    verbs,
  };
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const WRITABLE = ['get', 'patch', 'update'];

function subresourceOf(
  { group, version, kind }: Listed,
  name: string,
): { readonly kind: Kind; readonly verbs: readonly string[] } {
  switch (name) {
    case 'scale':
      return { kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: WRITABLE };
    case 'eviction':
      return { kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] };
    case 'binding':
      return { kind: { group: '', version: 'v1', kind: 'Binding' }, verbs: ['create'] };
    case 'token':
      return {
        kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
        verbs: ['create'],
      };
    case 'exec':
    case 'attach':
    case 'portforward':
      return {
        kind: { group, version, kind: `Pod${OPTIONS[name]}Options` },
        verbs: ['create', 'get'],
      };
    case 'log':
      return { kind: { group, version, kind }, verbs: ['get'] };
    case 'finalize':
      return { kind: { group, version, kind }, verbs: ['update'] };
    default:
      return { kind: { group, version, kind }, verbs: WRITABLE };
  }
}

const OPTIONS = { exec: 'Exec', attach: 'Attach', portforward: 'PortForward' } as const;

function list(name: string, values: readonly unknown[]): Tree {
  return values.length === 0 ? {} : { [name]: values };
}
