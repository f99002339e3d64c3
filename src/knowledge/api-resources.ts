/**
 * Kinds as an API server serves them: group version, plural, scope, subresources, short names
 * (KK v1.33 pkg/registry and `kubectl api-resources`; custom resources from their own definitions).
 * The twin answers discovery from this; the real adapter asks the server.
 */
export interface ApiResource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly subresources: readonly string[];
  readonly shortNames: readonly string[];
}

type Row = readonly [kind: string, scope: 'ns' | '-', subresources?: string, shortNames?: string];

const WORKLOAD = 'status,scale';

const GROUPS: Readonly<Record<string, readonly Row[]>> = {
  v1: [
    ['ConfigMap', 'ns', '', 'cm'],
    ['Endpoints', 'ns', '', 'ep'],
    ['Event', 'ns', '', 'ev'],
    ['LimitRange', 'ns', '', 'limits'],
    ['Namespace', '-', 'status,finalize', 'ns'],
    ['Node', '-', 'status,proxy', 'no'],
    ['PersistentVolume', '-', 'status', 'pv'],
    ['PersistentVolumeClaim', 'ns', 'status', 'pvc'],
    [
      'Pod',
      'ns',
      'status,binding,eviction,exec,attach,log,portforward,proxy,ephemeralcontainers',
      'po',
    ],
    ['PodTemplate', 'ns'],
    ['ReplicationController', 'ns', WORKLOAD, 'rc'],
    ['ResourceQuota', 'ns', 'status', 'quota'],
    ['Secret', 'ns'],
    ['Service', 'ns', 'status,proxy', 'svc'],
    ['ServiceAccount', 'ns', 'token', 'sa'],
  ],
  'apps/v1': [
    ['ControllerRevision', 'ns'],
    ['DaemonSet', 'ns', 'status', 'ds'],
    ['Deployment', 'ns', WORKLOAD, 'deploy'],
    ['ReplicaSet', 'ns', WORKLOAD, 'rs'],
    ['StatefulSet', 'ns', WORKLOAD, 'sts'],
  ],
  'batch/v1': [
    ['CronJob', 'ns', 'status', 'cj'],
    ['Job', 'ns', 'status'],
  ],
  'autoscaling/v2': [['HorizontalPodAutoscaler', 'ns', 'status', 'hpa']],
  'policy/v1': [['PodDisruptionBudget', 'ns', 'status', 'pdb']],
  'networking.k8s.io/v1': [
    ['Ingress', 'ns', 'status', 'ing'],
    ['IngressClass', '-'],
    ['NetworkPolicy', 'ns', '', 'netpol'],
  ],
  'discovery.k8s.io/v1': [['EndpointSlice', 'ns']],
  'coordination.k8s.io/v1': [['Lease', 'ns']],
  'events.k8s.io/v1': [['Event', 'ns', '', 'ev']],
  'rbac.authorization.k8s.io/v1': [
    ['ClusterRole', '-'],
    ['ClusterRoleBinding', '-'],
    ['Role', 'ns'],
    ['RoleBinding', 'ns'],
  ],
  'storage.k8s.io/v1': [
    ['CSIDriver', '-'],
    ['CSINode', '-'],
    ['CSIStorageCapacity', 'ns'],
    ['StorageClass', '-', '', 'sc'],
    ['VolumeAttachment', '-', 'status'],
  ],
  'scheduling.k8s.io/v1': [['PriorityClass', '-', '', 'pc']],
  'admissionregistration.k8s.io/v1': [
    ['MutatingWebhookConfiguration', '-'],
    ['ValidatingAdmissionPolicy', '-', 'status'],
    ['ValidatingAdmissionPolicyBinding', '-'],
    ['ValidatingWebhookConfiguration', '-'],
  ],
  'apiextensions.k8s.io/v1': [['CustomResourceDefinition', '-', 'status', 'crd,crds']],
  'apiregistration.k8s.io/v1': [['APIService', '-', 'status']],
};

export const BUILT_IN_RESOURCES: readonly ApiResource[] = Object.entries(GROUPS).flatMap(
  ([apiVersion, rows]) =>
    rows.map(([kind, scope, subresources = '', shortNames = '']) => ({
      apiVersion,
      kind,
      plural: pluralOf(kind),
      namespaced: scope === 'ns',
      subresources: words(subresources),
      shortNames: words(shortNames),
    })),
);

/** As the names of built-in kinds, and of most custom ones, are made. */
export function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name === 'endpoints') return name;
  if (/(s|x|ch|sh)$/.test(name)) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/** What a CustomResourceDefinition makes the server serve; nothing where it cannot be read. */
export function definedResources(definition: unknown): readonly ApiResource[] {
  const spec = mapOf(mapOf(definition)['spec']);
  const names = mapOf(spec['names']);
  const { kind, plural } = names;
  const group = spec['group'];
  if (typeof kind !== 'string' || typeof plural !== 'string' || typeof group !== 'string')
    return [];
  return listOf(spec['versions']).flatMap((each) => {
    const version = mapOf(each);
    if (version['served'] !== true || typeof version['name'] !== 'string') return [];
    return [
      {
        apiVersion: `${group}/${version['name']}`,
        kind,
        plural,
        namespaced: spec['scope'] === 'Namespaced',
        subresources: Object.keys(mapOf(version['subresources'])),
        shortNames: listOf(names['shortNames']).filter((name) => typeof name === 'string'),
      },
    ];
  });
}

/** The verbs of a kind that is stored; `Event`s and the rest have them all. */
export const RESOURCE_VERBS: readonly string[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

function words(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? (value as Readonly<Record<string, unknown>>) : {}; // as was just asked
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
