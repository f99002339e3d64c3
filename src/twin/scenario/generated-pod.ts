/**
 * A running pod as `kubectl get pod -o json` prints it: the template's spec with what admission and
 * the scheduler added, and the status its kubelet reported.
 */
import type { Container, KubeObject, OwnerReference, PodSpec } from '../../model/kubernetes.ts';
import type { LaidOutNode } from './cluster-layout.ts';
import { hexOf, suffixOf, uidOf } from './identities.ts';

/** When generated clusters were looked at, and how long things had run by then. */
export const BORN = '2024-05-02T08:10:11Z';
const STARTED = '2025-01-11T19:42:03Z';
const READY = '2025-01-11T19:42:21Z';

export interface GeneratedPod {
  readonly name: string;
  readonly namespace: string;
  readonly generateName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: OwnerReference;
  readonly spec: PodSpec;
  readonly node: LaidOutNode;
  /** The node's own for hostNetwork. */
  readonly ip: string;
}

const TOKEN_MOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export function generatedPod(pod: GeneratedPod): KubeObject {
  const key = `${pod.namespace}/${pod.name}`;
  const tokenVolume = `kube-api-access-${suffixOf(key, 5)}`;
  const { generateName, annotations, owner } = pod;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(annotations === undefined ? {} : { annotations }),
      creationTimestamp: STARTED,
      ...(generateName === undefined ? {} : { generateName }),
      labels: pod.labels,
      name: pod.name,
      namespace: pod.namespace,
      ...(owner === undefined ? {} : { ownerReferences: [owner] }),
      resourceVersion: '418221',
      uid: uidOf(`Pod ${key}`),
    },
    ...podBody(pod, tokenVolume),
  };
}

/** KK pkg/apis/scheduling/types.go. */
const PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

/** A mirror of a static pod refers to no account: the API server refuses one that does. */
function isMirror({ owner }: GeneratedPod): boolean {
  return owner?.kind === 'Node';
}

function podBody(pod: GeneratedPod, token: string): { spec: unknown; status: unknown } {
  const { spec } = pod;
  const daemon = pod.owner?.kind === 'DaemonSet';
  const tokenVolume = isMirror(pod) ? undefined : token;
  return {
    spec: {
      ...spec,
      containers: spec.containers.map((container) => withDefaults(container, tokenVolume)),
      ...(spec.initContainers === undefined
        ? {}
        : {
            initContainers: spec.initContainers.map((container) =>
              withDefaults(container, tokenVolume),
            ),
          }),
      dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
      enableServiceLinks: true,
      nodeName: pod.node.name,
      preemptionPolicy: 'PreemptLowerPriority',
      priority: PRIORITIES[spec.priorityClassName ?? ''] ?? 0,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      ...(isMirror(pod) ? {} : accountOf(spec)),
      terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
      tolerations: [
        ...(spec.tolerations ?? []),
        ...(daemon ? DAEMON_TOLERATIONS : toleratesAll(spec) ? [] : POD_TOLERATIONS),
      ],
      volumes: [
        ...(spec.volumes ?? []),
        ...(tokenVolume === undefined ? [] : [tokenVolumeOf(tokenVolume)]),
      ],
    },
    status: statusOf(pod),
  };
}

function accountOf({ serviceAccountName = 'default' }: PodSpec): object {
  return { serviceAccount: serviceAccountName, serviceAccountName };
}

function withDefaults(container: Container, tokenVolume: string | undefined): unknown {
  return {
    ...container,
    imagePullPolicy: 'IfNotPresent',
    resources: container.resources ?? {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    volumeMounts: [
      ...(container.volumeMounts ?? []),
      ...(tokenVolume === undefined
        ? []
        : [{ mountPath: TOKEN_MOUNT, name: tokenVolume, readOnly: true }]),
    ],
  };
}

function tokenVolumeOf(name: string): { readonly name: string; readonly projected: object } {
  return {
    name,
    projected: {
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
        {
          downwardAPI: {
            items: [
              {
                fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
                path: 'namespace',
              },
            ],
          },
        },
      ],
    },
  };
}

const POD_TOLERATIONS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map(
  (key) => ({
    effect: 'NoExecute',
    key,
    operator: 'Exists' as const,
    tolerationSeconds: 300,
  }),
);

/** Admission adds nothing to a pod that tolerates every NoExecute taint, as static pods do. */
function toleratesAll({ tolerations = [] }: PodSpec): boolean {
  return tolerations.some(
    ({ key, effect, operator }) =>
      operator === 'Exists' &&
      key === undefined &&
      (effect === undefined || effect === 'NoExecute'),
  );
}

const DAEMON_TOLERATIONS = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
].map(([key = '', effect = '']) => ({ effect, key, operator: 'Exists' as const }));

function statusOf({ spec, node, ip, namespace, name }: GeneratedPod): unknown {
  return {
    conditions: [
      condition('PodReadyToStartContainers', STARTED),
      condition('Initialized', STARTED),
      condition('Ready', READY),
      condition('ContainersReady', READY),
      condition('PodScheduled', STARTED),
    ],
    containerStatuses: spec.containers.map((container) =>
      running(container, `${namespace}/${name}`),
    ),
    hostIP: node.address,
    hostIPs: [{ ip: node.address }],
    ...(spec.initContainers === undefined
      ? {}
      : {
          initContainerStatuses: spec.initContainers.map((container) =>
            finished(container, `${namespace}/${name}`),
          ),
        }),
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    qosClass: 'Burstable',
    startTime: STARTED,
  };
}

function running(container: Container, pod: string): object {
  return containerStatus(container, pod, true, { running: { startedAt: READY } });
}

function finished(container: Container, pod: string): object {
  if (container.restartPolicy === 'Always') return running(container, pod);
  const ended = { exitCode: 0, finishedAt: STARTED, reason: 'Completed', startedAt: STARTED };
  return containerStatus(container, pod, false, { terminated: ended });
}

function containerStatus(
  container: Container,
  pod: string,
  started: boolean,
  state: object,
): object {
  const image = container.image ?? '';
  return {
    containerID: `containerd://${hexOf(`${pod}/${container.name}`)}`,
    image,
    imageID: `${image.split(':')[0] ?? image}@sha256:${hexOf(image)}`,
    lastState: {},
    name: container.name,
    ready: true,
    restartCount: 0,
    started,
    state,
  };
}

function condition(type: string, at: string): object {
  return { lastProbeTime: null, lastTransitionTime: at, status: 'True', type };
}
