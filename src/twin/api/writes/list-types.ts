/**
 * How lists and maps of an object merge: lists of named entries by their keys, sets by value, the rest
 * as a whole. Built-in kinds by field name and place (the `x-kubernetes-list-type`, `patchMergeKey`
 * and `mapType` markers of KK staging/src/k8s.io/api); custom resources by their own schema.
 */
import { isMap, listOf, mapOf, textOf, type Tree } from '../../../base/json-tree.ts';

export type Merging =
  | { readonly kind: 'granular' }
  | { readonly kind: 'atomic' }
  | { readonly kind: 'set' }
  | { readonly kind: 'keyed'; readonly keys: readonly string[] };

const GRANULAR: Merging = { kind: 'granular' };
const ATOMIC: Merging = { kind: 'atomic' };
const SET: Merging = { kind: 'set' };

interface ListRule {
  /** Server-side apply. */
  readonly keys: readonly string[];
  /** Strategic merge patch knows one key, or none. */
  readonly patchKey?: string;
}

const BY_NAME: ListRule = { keys: ['name'], patchKey: 'name' };

const KEYED: Readonly<Record<string, ListRule>> = {
  conditions: { keys: ['type'], patchKey: 'type' },
  containers: BY_NAME,
  env: BY_NAME,
  ephemeralContainers: BY_NAME,
  hostAliases: { keys: ['ip'], patchKey: 'ip' },
  hostIPs: { keys: ['ip'], patchKey: 'ip' },
  imagePullSecrets: BY_NAME,
  initContainers: BY_NAME,
  matchConditions: BY_NAME,
  ownerReferences: { keys: ['uid'], patchKey: 'uid' },
  podIPs: { keys: ['ip'], patchKey: 'ip' },
  resourceClaims: BY_NAME,
  schedulingGates: BY_NAME,
  secrets: BY_NAME,
  topologySpreadConstraints: {
    keys: ['topologyKey', 'whenUnsatisfiable'],
    patchKey: 'topologyKey',
  },
  volumeDevices: { keys: ['devicePath'], patchKey: 'devicePath' },
  volumeMounts: { keys: ['mountPath'], patchKey: 'mountPath' },
  volumes: BY_NAME,
  webhooks: BY_NAME,
};
const CONTAINER_PORTS: ListRule = {
  keys: ['containerPort', 'protocol'],
  patchKey: 'containerPort',
};
const SERVICE_PORTS: ListRule = { keys: ['port', 'protocol'], patchKey: 'port' };
const NODE_ADDRESSES: ListRule = { keys: ['type'], patchKey: 'type' };

const SETS = new Set(['finalizers']);

/** Structs that one manager owns as a whole, and maps likewise (`mapType=atomic`). */
const ATOMIC_MAPS = new Set([
  'configMapKeyRef',
  'fieldRef',
  'labelSelector',
  'namespaceSelector',
  'nodeSelector',
  'nodeSelectorTerms',
  'objectSelector',
  'podSelector',
  'resourceFieldRef',
  'secretKeyRef',
  'selector',
  'targetRef',
]);

/** Keys that an entry may leave out, with what the API puts there. */
export const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

/** Names on the way to a value; entries of lists do not count. */
export type FieldPath = readonly string[];

export class MergeRules {
  private readonly schema: Tree | undefined;

  /** With the schema of a custom resource's version; without for a built-in kind. */
  constructor(schema?: Tree) {
    this.schema = schema;
  }

  of(path: FieldPath, value: unknown): Merging {
    if (path[0] === 'metadata' || this.schema === undefined) return builtIn(path, value);
    return this.custom(path, value);
  }

  /** The key a strategic merge patch merges the list by; undefined where it replaces it. */
  patchKeyOf(path: FieldPath): string | undefined {
    if (this.schema !== undefined && path[0] !== 'metadata') return undefined;
    return ruleOf(path)?.patchKey;
  }

  /** Lists of plain values that a strategic merge patch adds to. */
  mergesValues(path: FieldPath): boolean {
    return SETS.has(path.at(-1) ?? '');
  }

  private custom(path: FieldPath, value: unknown): Merging {
    const schema = schemaAt(this.schema, path);
    if (Array.isArray(value)) {
      switch (schema['x-kubernetes-list-type']) {
        case 'set':
          return SET;
        case 'map':
          return { kind: 'keyed', keys: listOf(schema['x-kubernetes-list-map-keys']).map(textOf) };
        default:
          return ATOMIC;
      }
    }
    return schema['x-kubernetes-map-type'] === 'atomic' ? ATOMIC : GRANULAR;
  }
}

function builtIn(path: FieldPath, value: unknown): Merging {
  const name = path.at(-1) ?? '';
  if (Array.isArray(value)) {
    if (SETS.has(name)) return SET;
    const rule = ruleOf(path);
    const fits = rule !== undefined && value.every((item) => isMap(item) && hasKeys(item, rule));
    return fits ? { kind: 'keyed', keys: rule.keys } : ATOMIC;
  }
  return isMap(value) && ATOMIC_MAPS.has(name) ? ATOMIC : GRANULAR;
}

function hasKeys(item: Tree, { keys }: ListRule): boolean {
  return keys.every((key) => item[key] !== undefined || key in KEY_DEFAULTS);
}

function ruleOf(path: FieldPath): ListRule | undefined {
  const name = path.at(-1) ?? '';
  const parent = path.at(-2) ?? '';
  if (name === 'ports') {
    if (parent.endsWith('ontainers')) return CONTAINER_PORTS;
    return parent === 'spec' ? SERVICE_PORTS : undefined;
  }
  if (name === 'addresses') return parent === 'status' ? NODE_ADDRESSES : undefined;
  return Object.hasOwn(KEYED, name) ? KEYED[name] : undefined;
}

function schemaAt(root: Tree | undefined, path: FieldPath): Tree {
  let schema = mapOf(root);
  for (const name of path) {
    while (isMap(schema['items'])) schema = schema['items'];
    const { properties, additionalProperties } = schema;
    schema = mapOf(mapOf(properties)[name] ?? additionalProperties);
  }
  return schema;
}
