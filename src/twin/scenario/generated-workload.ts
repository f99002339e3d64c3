/**
 * A workload of a spec as the objects a cluster holds of it: the controller with its template, the
 * ReplicaSet under a Deployment, the pods where they run, and what stands beside them.
 */
import type { Container, KubeObject, OwnerReference, PodSpec } from '../../model/kubernetes.ts';
import type { ClusterLayout, LaidOutNode } from './cluster-layout.ts';
import type { WorkloadSpec } from './cluster-spec.ts';
import { BORN, generatedPod } from './generated-pod.ts';
import { claimOf } from './generated-storage.ts';
import { suffixOf, uidOf } from './identities.ts';
import { objectOf } from './object-of.ts';

export interface PlacedPod {
  readonly name: string;
  readonly ip: string;
  readonly node: LaidOutNode;
}

export interface GeneratedWorkload {
  readonly objects: readonly KubeObject[];
  readonly pods: readonly PlacedPod[];
}

/** A controller that exists already as a manifest, with the pods it would have. */
export interface TemplateOwner {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Pod';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly template: PodSpec;
  readonly nodes: readonly LaidOutNode[];
}

export function generateWorkload(layout: ClusterLayout, workload: WorkloadSpec): GeneratedWorkload {
  const labels = { 'app.kubernetes.io/name': workload.name, ...workload.labels };
  const template = templateOf(workload, labels);
  const nodes =
    workload.kind === 'DaemonSet'
      ? layout.eligible(workload)
      : Array.from({ length: workload.replicas }, (_, index) => layout.place(workload, index));
  const { kind, namespace, name } = workload;
  const annotations =
    Object.keys(workload.annotations).length === 0 ? {} : { annotations: workload.annotations };
  const owner: TemplateOwner = { kind, namespace, name, ...annotations, labels, template, nodes };
  const generated = podsOf(layout, owner);
  const controller =
    workload.kind === 'Pod' ? [] : [controllerOf(workload, labels, template, nodes.length)];
  return { objects: [...controller, ...generated.objects], pods: generated.pods };
}

/** The pods of a controller, and the ReplicaSet between a Deployment and its pods. */
export function podsOf(layout: ClusterLayout, owner: TemplateOwner): GeneratedWorkload {
  const { kind, namespace, name } = owner;
  const hash = suffixOf(`${namespace}/${name}`, 10);
  const hashed = kind === 'Deployment' ? { 'pod-template-hash': hash } : {};
  const labels = { ...owner.labels, ...hashed };
  const parent = kind === 'Deployment' ? `${name}-${hash}` : name;
  const pods = owner.nodes.map((node, index): PlacedPod => ({
    name: podName(owner, parent, index),
    ip: owner.template.hostNetwork === true ? node.address : layout.nextPodIp(node),
    node,
  }));
  const reference = ownerReference(kind === 'Deployment' ? 'ReplicaSet' : kind, namespace, parent);
  const objects = pods.map((pod) =>
    generatedPod({
      ...pod,
      namespace,
      labels: { ...labels, ...namedLabels(kind, pod.name, hash) },
      ...(owner.annotations === undefined ? {} : { annotations: owner.annotations }),
      ...(kind === 'Pod' ? {} : { owner: reference, generateName: `${parent}-` }),
      spec: withClaim(owner.template, kind, pod.name),
    }),
  );
  const set = kind === 'Deployment' ? [replicaSetOf(owner, parent, labels)] : [];
  return { objects: [...set, ...objects], pods };
}

/** What the controller itself puts on each pod. */
function namedLabels(kind: string, pod: string, hash: string): Readonly<Record<string, string>> {
  if (kind === 'StatefulSet') {
    return {
      'controller-revision-hash': `${pod.slice(0, pod.lastIndexOf('-'))}-${hash}`,
      'statefulset.kubernetes.io/pod-name': pod,
    };
  }
  return kind === 'DaemonSet'
    ? { 'controller-revision-hash': hash, 'pod-template-generation': '1' }
    : {};
}

function podName({ kind, name, nodes }: TemplateOwner, parent: string, index: number): string {
  if (kind === 'StatefulSet') return `${name}-${index}`;
  if (kind === 'Pod') return nodes.length === 1 ? name : `${name}-${index}`;
  return `${parent}-${suffixOf(`${parent} ${index} ${nodes[index]?.name ?? ''}`, 5)}`;
}

/** A StatefulSet's pods each have a claim of their own name. */
function withClaim(template: PodSpec, kind: TemplateOwner['kind'], pod: string): PodSpec {
  if (kind !== 'StatefulSet') return template;
  return {
    ...template,
    volumes: (template.volumes ?? []).map((volume) =>
      volume.persistentVolumeClaim === undefined
        ? volume
        : { ...volume, persistentVolumeClaim: { claimName: claimOf(pod) } },
    ),
  };
}

function ownerReference(kind: string, namespace: string, name: string): OwnerReference {
  return {
    apiVersion: 'apps/v1',
    kind,
    name,
    uid: uidOf(`${kind} ${namespace}/${name}`),
    controller: true,
  };
}

/** What the controller writes on a Deployment, and on its ReplicaSet, that were never changed. */
const FIRST_REVISION = { 'deployment.kubernetes.io/revision': '1' };

function controllerOf(
  workload: WorkloadSpec,
  labels: Readonly<Record<string, string>>,
  template: PodSpec,
  count: number,
): KubeObject {
  const { kind, namespace, name } = workload;
  const selector = { matchLabels: { 'app.kubernetes.io/name': name } };
  const scale = { replicas: workload.replicas };
  const kindSpec = {
    Deployment: {
      ...scale,
      strategy: { type: workload.volume === undefined ? 'RollingUpdate' : 'Recreate' },
    },
    StatefulSet: { ...scale, serviceName: name, podManagementPolicy: 'OrderedReady' },
    DaemonSet: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } },
    Pod: {},
  }[kind];
  return objectOf({
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      ...(kind === 'Deployment' ? { annotations: FIRST_REVISION } : {}),
      creationTimestamp: BORN,
      generation: 1,
      labels,
      name,
      namespace,
      resourceVersion: '1201',
      uid: uidOf(`${kind} ${namespace}/${name}`),
    },
    spec: {
      ...kindSpec,
      selector,
      template: {
        metadata: {
          labels,
          ...(Object.keys(workload.annotations).length > 0
            ? { annotations: workload.annotations }
            : {}),
        },
        spec: template,
      },
    },
    status: controllerStatus(kind, count),
  });
}

export function controllerStatus(kind: string, count: number): object {
  return kind === 'DaemonSet'
    ? {
        currentNumberScheduled: count,
        desiredNumberScheduled: count,
        numberAvailable: count,
        numberMisscheduled: 0,
        numberReady: count,
        observedGeneration: 1,
        updatedNumberScheduled: count,
      }
    : {
        availableReplicas: count,
        observedGeneration: 1,
        readyReplicas: count,
        replicas: count,
        updatedReplicas: count,
      };
}

function replicaSetOf(
  owner: TemplateOwner,
  name: string,
  labels: Readonly<Record<string, string>>,
): KubeObject {
  const { namespace } = owner;
  const count = owner.nodes.length;
  return objectOf({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      creationTimestamp: BORN,
      generation: 1,
      labels,
      name,
      namespace,
      ownerReferences: [ownerReference('Deployment', namespace, owner.name)],
      resourceVersion: '1204',
      uid: uidOf(`ReplicaSet ${namespace}/${name}`),
      annotations: FIRST_REVISION,
    },
    spec: {
      replicas: count,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          ...(owner.annotations === undefined ? {} : { annotations: owner.annotations }),
        },
        spec: owner.template,
      },
    },
    status: {
      availableReplicas: count,
      observedGeneration: 1,
      readyReplicas: count,
      replicas: count,
    },
  });
}

function templateOf(workload: WorkloadSpec, labels: Readonly<Record<string, string>>): PodSpec {
  const { name, volume, init, sidecars } = workload;
  const tolerations = workload.toleratesControlPlane
    ? [
        {
          key: 'node-role.kubernetes.io/control-plane',
          operator: 'Exists' as const,
          effect: 'NoSchedule',
        },
      ]
    : [];
  return {
    containers: [
      mainContainer(workload),
      ...sidecars.map((sidecar) => sideContainer(sidecar, workload.memory)),
    ],
    ...(init.length === 0
      ? {}
      : { initContainers: init.map((step) => sideContainer(step, workload.memory)) }),
    ...(workload.hostNetwork ? { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } : {}),
    ...(workload.serviceAccount === undefined
      ? {}
      : { serviceAccountName: workload.serviceAccount }),
    ...(Object.keys(workload.nodeSelector).length === 0
      ? {}
      : { nodeSelector: workload.nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(workload.apart === undefined ? {} : { affinity: apartRule(workload.apart, labels) }),
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    volumes: [
      { name: 'config', configMap: { name: `${name}-config` } },
      { name: 'tmp', emptyDir: {} },
      ...(volume === undefined
        ? []
        : [{ name: 'data', persistentVolumeClaim: { claimName: claimOf(name) } }]),
    ],
  };
}

function mainContainer(workload: WorkloadSpec): Container {
  const { name, image, args, ports, hostPorts, volume, liveness } = workload;
  const port = ports[0];
  const probe =
    port === undefined ? undefined : { httpGet: { path: '/healthz', port }, periodSeconds: 10 };
  return {
    name,
    image,
    ...(args.length === 0 ? {} : { args }),
    env: [
      { name: 'APP_NAME', value: name },
      { name: 'APP_NAMESPACE', value: workload.namespace },
      { name: 'LOG_LEVEL', value: 'info' },
      { name: 'LOG_FORMAT', value: 'json' },
      { name: 'TZ', value: 'Europe/Zurich' },
      {
        name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        value: 'http://otel-collector.observability.svc:4317',
      },
    ],
    ports: ports.map((containerPort, index) => ({
      name: index === 0 ? 'http' : `p${containerPort}`,
      containerPort,
      protocol: 'TCP',
      ...(hostPorts[index] === undefined ? {} : { hostPort: hostPorts[index] }),
    })),
    ...(probe === undefined
      ? {}
      : { readinessProbe: { ...probe, timeoutSeconds: 1, failureThreshold: 3 } }),
    ...(probe === undefined || !liveness
      ? {}
      : { livenessProbe: { ...probe, timeoutSeconds: 1, failureThreshold: 3 } }),
    volumeMounts: [
      { name: 'config', mountPath: `/etc/${name}` },
      { name: 'tmp', mountPath: '/tmp' },
      ...(volume === undefined ? [] : [{ name: 'data', mountPath: '/var/lib/data' }]),
    ],
    resources: resourcesOf(workload.memory),
    securityContext: { capabilities: { drop: ['ALL'] } },
  };
}

function sideContainer(
  { name, image }: { readonly name: string; readonly image: string },
  memory: string,
): Container {
  return {
    name,
    image,
    env: [
      { name: 'SIDECAR', value: name },
      { name: 'LOG_LEVEL', value: 'info' },
    ],
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
    resources: resourcesOf(memory),
    securityContext: { capabilities: { drop: ['ALL'] } },
  };
}

function resourcesOf(
  memory: string,
): NonNullable<Container['resources']> & { readonly limits: object } {
  return { limits: { memory }, requests: { cpu: '50m', memory } };
}

function apartRule(
  rule: 'must' | 'prefer',
  labels: Readonly<Record<string, string>>,
): NonNullable<PodSpec['affinity']> {
  const podAffinityTerm = {
    labelSelector: { matchLabels: labels },
    topologyKey: 'kubernetes.io/hostname',
  };
  return {
    podAntiAffinity:
      rule === 'must'
        ? { requiredDuringSchedulingIgnoredDuringExecution: [podAffinityTerm] }
        : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] },
  };
}
