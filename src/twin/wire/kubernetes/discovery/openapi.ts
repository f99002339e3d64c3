/**
 * OpenAPI v3 as clients need it: `kubectl` looks up which parameters a kind's writes take, `kubectl
 * explain` reads fields. Custom resources have the schema of their definition; built-in kinds have the
 * fields that everything has, and say that the twin knows no more of them.
 */
import {
  groupVersion,
  type Resource,
  type ResourceRegistry,
} from '../../../api/served-resources.ts';
import { mapOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import { propertiesOfKind, referredSchemas, schemaNameOf } from './openapi-schemas.ts';

const INFO = { title: 'Kubernetes (a twin served by regauge)', version: 'v1' };

export class OpenApi {
  private readonly registry: ResourceRegistry;

  constructor(registry: ResourceRegistry) {
    this.registry = registry;
  }

  /** `/openapi/v3`. */
  index(): Tree {
    const paths: Record<string, unknown> = {};
    for (const { name, versions } of this.registry.groups()) {
      for (const version of versions) {
        const path = rootOf(name, version);
        const hash = this.hashOf(name, version);
        paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
      }
    }
    return { paths };
  }

  /** `/openapi/v3/apis/<group>/<version>`; undefined where there is none. */
  document(group: string, version: string): Tree | undefined {
    const resources = this.of(group, version);
    if (resources.length === 0) return undefined;
    const paths = Object.assign({}, ...resources.map((resource) => pathsOf(resource)));
    const schemas = Object.assign(
      {},
      ...resources.map((resource) => ({ [schemaNameOf(resource)]: schemaOf(resource) })),
      referredSchemas(resources),
    );
    return { openapi: '3.0.0', info: INFO, paths, components: { schemas } };
  }

  private of(group: string, version: string): readonly Resource[] {
    return this.registry.all().filter((each) => each.group === group && each.version === version);
  }

  /** Clients keep documents by their hash: it tells the kinds and the definitions' versions. */
  private hashOf(group: string, version: string): string {
    const text = this.of(group, version)
      .map((each) => `${each.kind}${JSON.stringify(each.definition ?? {}).length}`)
      .join(' ');
    let hash = 0;
    for (const letter of text) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0;
    return (hash >>> 0).toString(16).toUpperCase();
  }
}

function rootOf(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
  name,
  in: 'query',
  schema: { type: 'string', uniqueItems: true },
}));

/** Strategic merge is taken too, but not told: clients then use the keys they were built with. */
const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];

function pathsOf(resource: Resource): Tree {
  const { group, version, kind, plural, namespaced } = resource;
  const root = `/${rootOf(group, version)}`;
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const gvk = { 'x-kubernetes-group-version-kind': { group, version, kind } };
  const body = { $ref: `#/components/schemas/${schemaNameOf(resource)}` };
  const ok = { 200: { description: 'OK', content: { 'application/json': { schema: body } } } };
  const operation = (action: string, more: Tree = {}): Tree => ({
    'x-kubernetes-action': action,
    ...gvk,
    responses: ok,
    ...more,
  });
  const sent = { content: { '*/*': { schema: body } } };
  return {
    [collection]: {
      get: operation('list'),
      post: operation('post', { parameters: WRITE_PARAMETERS, requestBody: sent }),
      delete: operation('deletecollection'),
    },
    [`${collection}/{name}`]: {
      get: operation('get'),
      put: operation('put', { parameters: WRITE_PARAMETERS, requestBody: sent }),
      patch: operation('patch', {
        parameters: [
          ...WRITE_PARAMETERS,
          { name: 'force', in: 'query', schema: { type: 'boolean' } },
        ],
        requestBody: {
          content: Object.fromEntries(
            PATCH_TYPES.map((type) => [type, { schema: { type: 'object' } }]),
          ),
        },
      }),
      delete: operation('delete'),
    },
  };
}

function schemaOf(resource: Resource): Tree {
  const { group, version, kind, definition } = resource;
  const own = mapOf(valueAt(definition, 'schema', 'openAPIV3Schema'));
  const known = propertiesOfKind(resource);
  const base: Tree =
    definition === undefined
      ? {
          type: 'object',
          description: `${kind} of ${groupVersion(resource)}. A twin served by regauge knows the fields and their types, not their descriptions.`,
          properties: { ...COMMON, ...(known ?? { metadata: METADATA }) },
          ...(known === undefined ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
        }
      : { ...own, properties: { ...mapOf(own['properties']), ...COMMON, metadata: METADATA } };
  return { ...base, 'x-kubernetes-group-version-kind': [{ group, version, kind }] };
}

const METADATA = {
  allOf: [{ $ref: '#/components/schemas/meta.ObjectMeta' }],
  description: 'Standard object metadata.',
};

const COMMON = {
  apiVersion: {
    type: 'string',
    description: 'The versioned schema of this representation of an object.',
  },
  kind: { type: 'string', description: 'The REST resource this object represents.' },
};
