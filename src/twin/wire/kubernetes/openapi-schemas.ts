/** The parts of built-in kinds that `kubectl explain` is asked about most, in a short form. */
import type { Resource } from './resources.ts';
import type { Tree } from './tree.ts';

/** Field to type: `string`, `integer`, `boolean`, `map`, `object`, another part's name, or `[]` of one. */
type Fields = Readonly<Record<string, string>>;

const PARTS: Readonly<Record<string, Fields>> = {
  ObjectMeta: {
    annotations: 'map',
    creationTimestamp: 'string',
    deletionGracePeriodSeconds: 'integer',
    deletionTimestamp: 'string',
    finalizers: '[]string',
    generateName: 'string',
    generation: 'integer',
    labels: 'map',
    managedFields: '[]object',
    name: 'string',
    namespace: 'string',
    ownerReferences: '[]object',
    resourceVersion: 'string',
    uid: 'string',
  },
  LabelSelector: { matchExpressions: '[]object', matchLabels: 'map' },
  PodTemplateSpec: { metadata: 'ObjectMeta', spec: 'PodSpec' },
  PodSpec: {
    affinity: 'object',
    automountServiceAccountToken: 'boolean',
    containers: '[]Container',
    dnsPolicy: 'string',
    enableServiceLinks: 'boolean',
    hostNetwork: 'boolean',
    hostPID: 'boolean',
    imagePullSecrets: '[]object',
    initContainers: '[]Container',
    nodeName: 'string',
    nodeSelector: 'map',
    priority: 'integer',
    priorityClassName: 'string',
    restartPolicy: 'string',
    schedulerName: 'string',
    securityContext: 'object',
    serviceAccountName: 'string',
    terminationGracePeriodSeconds: 'integer',
    tolerations: '[]Toleration',
    topologySpreadConstraints: '[]object',
    volumes: '[]Volume',
  },
  Container: {
    args: '[]string',
    command: '[]string',
    env: '[]object',
    envFrom: '[]object',
    image: 'string',
    imagePullPolicy: 'string',
    lifecycle: 'object',
    livenessProbe: 'object',
    name: 'string',
    ports: '[]object',
    readinessProbe: 'object',
    resources: 'object',
    securityContext: 'object',
    startupProbe: 'object',
    volumeMounts: '[]object',
    workingDir: 'string',
  },
  Toleration: {
    effect: 'string',
    key: 'string',
    operator: 'string',
    tolerationSeconds: 'integer',
    value: 'string',
  },
  Volume: {
    configMap: 'object',
    emptyDir: 'object',
    hostPath: 'object',
    name: 'string',
    persistentVolumeClaim: 'object',
    projected: 'object',
    secret: 'object',
  },
  PodStatus: {
    conditions: '[]object',
    containerStatuses: '[]object',
    hostIP: 'string',
    initContainerStatuses: '[]object',
    message: 'string',
    phase: 'string',
    podIP: 'string',
    podIPs: '[]object',
    qosClass: 'string',
    reason: 'string',
    startTime: 'string',
  },
  DeploymentSpec: {
    minReadySeconds: 'integer',
    paused: 'boolean',
    progressDeadlineSeconds: 'integer',
    replicas: 'integer',
    revisionHistoryLimit: 'integer',
    selector: 'LabelSelector',
    strategy: 'object',
    template: 'PodTemplateSpec',
  },
  DaemonSetSpec: {
    minReadySeconds: 'integer',
    revisionHistoryLimit: 'integer',
    selector: 'LabelSelector',
    template: 'PodTemplateSpec',
    updateStrategy: 'object',
  },
  StatefulSetSpec: {
    podManagementPolicy: 'string',
    replicas: 'integer',
    selector: 'LabelSelector',
    serviceName: 'string',
    template: 'PodTemplateSpec',
    updateStrategy: 'object',
    volumeClaimTemplates: '[]object',
  },
  ServiceSpec: {
    clusterIP: 'string',
    clusterIPs: '[]string',
    externalIPs: '[]string',
    externalName: 'string',
    externalTrafficPolicy: 'string',
    internalTrafficPolicy: 'string',
    ipFamilies: '[]string',
    ipFamilyPolicy: 'string',
    ports: '[]object',
    publishNotReadyAddresses: 'boolean',
    selector: 'map',
    sessionAffinity: 'string',
    type: 'string',
  },
  NodeSpec: {
    podCIDR: 'string',
    podCIDRs: '[]string',
    providerID: 'string',
    taints: '[]object',
    unschedulable: 'boolean',
  },
  PodDisruptionBudgetSpec: {
    maxUnavailable: 'string',
    minAvailable: 'string',
    selector: 'LabelSelector',
    unhealthyPodEvictionPolicy: 'string',
  },
};

let made: Tree | undefined;

export function builtInSchemas(): Tree {
  made ??= Object.fromEntries(
    Object.entries(PARTS).map(([name, fields]) => [name, schemaOf(name, fields)]),
  );
  return made;
}

export function schemaNameOf({
  group,
  version,
  kind,
}: Pick<Resource, 'group' | 'version' | 'kind'>): string {
  const reversed = group === '' ? 'io.k8s.core' : group.split('.').toReversed().join('.');
  return `${reversed}.${version}.${kind}`;
}

function schemaOf(name: string, fields: Fields): Tree {
  return {
    type: 'object',
    description: `${name}, as far as a twin served by regauge describes it.`,
    properties: Object.fromEntries(
      Object.entries(fields).map(([field, type]) => [field, typeOf(type)]),
    ),
    'x-kubernetes-preserve-unknown-fields': true,
  };
}

function typeOf(type: string): Tree {
  if (type.startsWith('[]')) return { type: 'array', items: typeOf(type.slice(2)) };
  if (type === 'map') return { type: 'object', additionalProperties: { type: 'string' } };
  if (type === 'object') return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  if (type in PARTS) return { allOf: [{ $ref: `#/components/schemas/${type}` }] };
  return { type };
}
