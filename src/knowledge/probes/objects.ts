/**
 * What the probes are in a cluster: an agent on every node's pod network, one on every host, and a
 * Service over the former. They are ordinary pods: they live, move to another network and die as any
 * pod does. The agent is a small program in a ConfigMap, run by a plain Node image: no image of ours
 * has to be trusted or mirrored.
 */
import type { KubeObject, PodSpec } from '../../model/kubernetes.ts';
import { OWN_LABELS, OWN_NAMESPACE, PRIVILEGED_NAMESPACE_LABELS } from '../../model/own-objects.ts';
import type { ProbeConfig, ProbeEnd } from '../../model/probe.ts';

export const PROBE_NAMESPACE = OWN_NAMESPACE;
export const PROBE_NAME = 'regauge-probe';
export const HOST_PROBE_NAME = 'regauge-probe-host';
export const PROBE_CONTAINER = 'probe';
/** What the container runs: by this the twin knows the program, as a node would. */
export const AGENT_PATH = '/probe/agent.js';

/** Below the range of NodePorts and of ephemeral ports, and no port of a CNI that is known. */
export const PROBE_PORT = 18_473;
export const SERVICE_PORT = 80;

/**
 * Official image of Node 22.22.1 on Alpine, by the digest of its index: named so, tag and digest, in
 * the third-party notices and Dockerfiles of several public repositories, and resolved to it in a
 * public build log of 2026-03-16.
 */
export const PROBE_IMAGE =
  'docker.io/library/node:22.22.1-alpine@sha256:8094c002d08262dba12645a3b4a15cd6cd627d30bc782f53229a2ec13ee22a00';

/**
 * V8 kept small, and on one thread. Without --no-opt an agent takes up to a fifth less of a core after minutes, and 7 MB
 * more, which brings it to the 50 MB it may have.
 */
export const NODE_FLAGS = [
  '--max-old-space-size=24',
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--max-lazy',
  '--no-opt',
  '--single-threaded',
] as const;

export interface ProbeObjectSettings {
  readonly image?: string;
  readonly agentScript?: string;
  /** Told later, when the Service has its addresses. */
  readonly config?: ProbeConfig;
}

/** In the order in which they are made. */
export function probeObjects(settings: ProbeObjectSettings = {}): readonly KubeObject[] {
  return [
    namespaceObject(),
    serviceObject(),
    configObject(settings),
    daemonSet('pod', settings),
    daemonSet('host', settings),
  ];
}

function namespaceObject(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: PROBE_NAMESPACE, labels: PRIVILEGED_NAMESPACE_LABELS },
  };
}

export function configObject({ agentScript = '', config }: ProbeObjectSettings): KubeObject {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: PROBE_NAME, namespace: PROBE_NAMESPACE, labels: OWN_LABELS },
    data: {
      'agent.js': agentScript,
      ...(config === undefined ? {} : { 'config.json': JSON.stringify(config) }),
    },
  };
  return object;
}

export function serviceObject(): KubeObject {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: PROBE_NAME, namespace: PROBE_NAMESPACE, labels: OWN_LABELS },
    spec: {
      type: 'NodePort',
      selector: { app: PROBE_NAME },
      ports: [{ name: 'probe', port: SERVICE_PORT, targetPort: PROBE_PORT, protocol: 'TCP' }],
    },
  };
  return object;
}

export function daemonSet(end: ProbeEnd, { image, agentScript }: ProbeObjectSettings): KubeObject {
  const name = end === 'pod' ? PROBE_NAME : HOST_PROBE_NAME;
  const labels = { app: name };
  const object = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: PROBE_NAMESPACE, labels: { ...labels, ...OWN_LABELS } },
    spec: {
      selector: { matchLabels: labels },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      template: {
        metadata: {
          labels: { ...labels, ...OWN_LABELS },
          // Another program is another pod: the agent reads itself once.
          annotations: { 'regauge.dev/agent': markOf(agentScript ?? '') },
        },
        spec: agentPodSpec(end, image ?? PROBE_IMAGE),
      },
    },
  };
  return object;
}

/**
 * No CPU limit: the kernel would hold the agent back in pieces of 100 ms, and that would look like
 * lost packets. No token: an agent asks the API server nothing.
 */
function agentPodSpec(end: ProbeEnd | 'closed', image: string): PodSpec {
  const spec = {
    ...(end === 'host' ? { hostNetwork: true, dnsPolicy: 'Default' } : {}),
    priorityClassName: 'system-node-critical',
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ operator: 'Exists' as const }],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [agentContainer(end, image)],
    volumes: [{ name: 'probe', configMap: { name: PROBE_NAME } }],
  };
  return spec;
}

function agentContainer(end: ProbeEnd | 'closed', image: string): PodSpec['containers'][number] {
  const container = {
    name: PROBE_CONTAINER,
    image,
    command: ['node', ...NODE_FLAGS, AGENT_PATH, end],
    env: [
      { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    ],
    ports: [
      { name: 'probe', containerPort: PROBE_PORT, protocol: 'TCP' },
      { name: 'probe-udp', containerPort: PROBE_PORT, protocol: 'UDP' },
    ],
    // Asks for nothing: a node without room to spare is probed too, and nobody's pod makes way (this
    // priority preempts, and a pod may not say that it does not). An agent that gets no processor
    // knows it by waking late, and says so.
    resources: { requests: { cpu: '0', memory: '0' }, limits: { memory: '96Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [{ name: 'probe', mountPath: '/probe', readOnly: true }],
  };
  return container;
}

export const CLOSED_NAME = 'regauge-probe-closed';

/** An agent that nobody may reach once the policy is there; `verify` has the others try. */
export function closedPod(image = PROBE_IMAGE): KubeObject {
  const { priorityClassName: _, ...spec } = agentPodSpec('closed', image);
  const labels = { app: CLOSED_NAME, ...OWN_LABELS };
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: CLOSED_NAME, namespace: PROBE_NAMESPACE, labels },
    spec: { ...spec, restartPolicy: 'Always' },
    status: {},
  };
  return object;
}

/** Selects the pod and allows nothing: all that comes in is denied. */
export function closingPolicy(): KubeObject {
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: CLOSED_NAME, namespace: PROBE_NAMESPACE, labels: OWN_LABELS },
    spec: { podSelector: { matchLabels: { app: CLOSED_NAME } }, policyTypes: ['Ingress'] },
  };
  return object;
}

/** Tells texts apart; nobody is to be kept from making two that agree. */
function markOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return `${text.length}-${hash.toString(16)}`;
}

/** A pod of one of these sets. */
export function isProbePod({ metadata }: KubeObject): boolean {
  return metadata.labels?.['app']?.startsWith(PROBE_NAME) === true;
}
