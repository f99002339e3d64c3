/**
 * By which fields the entries of a list are told apart (`x-kubernetes-list-map-keys`,
 * `patchMergeKey`; KK staging/src/k8s.io/api and apimachinery/pkg/apis/meta/v1/types.go). Lists
 * that are not here are replaced as a whole. Only built-in kinds have these; lists of custom ones
 * are whole unless their definition says otherwise, which is not read.
 */
const KEYED: Readonly<Record<string, readonly string[]>> = {
  'metadata.ownerReferences': ['uid'],
  'status.conditions': ['type'],
  'status.addresses': ['type'],
  'spec.imagePullSecrets': ['name'],
  'spec.hostAliases': ['ip'],
  'spec.volumes': ['name'],
  'spec.containers': ['name'],
  'spec.initContainers': ['name'],
  'spec.ephemeralContainers': ['name'],
  'spec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  webhooks: ['name'],
  secrets: ['name'],
};

const IN_CONTAINER: Readonly<Record<string, readonly string[]>> = {
  env: ['name'],
  ports: ['containerPort', 'protocol'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
};

/** Lists of plain values that are sets: each value is an entry of its own. */
const SETS: ReadonlySet<string> = new Set(['metadata.finalizers', 'spec.podCIDRs']);

const DEFAULTS: Readonly<Record<string, string>> = { protocol: 'TCP' };

/** The path names maps and lists from the object's root, without their entries. */
export function listKeys(apiVersion: string, path: string): readonly string[] | undefined {
  if (path === 'metadata.ownerReferences') return KEYED[path];
  if (!isBuiltIn(apiVersion)) return undefined;
  if (path === 'spec.ports') return ['port', 'protocol'];
  const inPod = path.replace(/^spec\.(jobTemplate\.spec\.)?template\.spec\./, 'spec.');
  const container = /^spec\.(?:c|initC|ephemeralC)ontainers\.(\w+)$/.exec(inPod)?.[1];
  if (container !== undefined) return IN_CONTAINER[container];
  return KEYED[inPod];
}

export function isSet(path: string): boolean {
  return SETS.has(path);
}

/** The entry's key; undefined when it lacks one. */
export function entryKey(
  entry: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): string | undefined {
  const pairs: Record<string, unknown> = {};
  for (const key of keys) {
    const value = entry[key] ?? DEFAULTS[key];
    if (value === undefined) return undefined;
    pairs[key] = value;
  }
  return JSON.stringify(pairs);
}

function isBuiltIn(apiVersion: string): boolean {
  return !apiVersion.includes('.') || /\.k8s\.io\//.test(apiVersion);
}
