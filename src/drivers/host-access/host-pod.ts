/**
 * The pod through which a node's host is reached: on the host's network, bound to its node directly,
 * tolerating everything, with no token, no DNS and no ClusterIP, so that it runs while the cluster's
 * network does not. It ends by itself, so that a crash of regauge leaves nothing that runs for ever.
 */
import type { Container, PodObject, PodSpec } from '../../model/kubernetes.ts';
import { OWN_LABELS, OWN_NAMESPACE, ROLE_LABEL, RUN_LABEL } from '../../model/own-objects.ts';

/** busybox 1.36.1 by the digest of its index, which holds all architectures. */
export const HOST_ACCESS_IMAGE =
  'docker.io/library/busybox:1.36.1@sha256:73aaf090f3d85aa34ee199857f03fa3a95c8ede2ffd4cc2cdb5b94e566b11662';

/** Where the pod sees the node's root. */
const HOST_ROOT = '/host';
export const HOST_CONTAINER = 'host';
export const HOST_ACCESS_ROLE = 'host-access';
/** Seconds a pod lives; whoever still needs one makes another. */
export const LIFE_SECONDS = 3_600;
/** What the kubelet allows beyond it. */
const GRACE_SECONDS = 60;
const NODE_ANNOTATION = 'regauge.dev/node';

export interface HostPodRequest {
  readonly node: string;
  readonly run: string;
  readonly image: string;
  /** Shares the host's process namespace. */
  readonly hostPid: boolean;
  /** Tells pods of one node and run apart. */
  readonly attempt: number;
}

export function hostPod(request: HostPodRequest): PodObject {
  const { node, run, image, hostPid, attempt } = request;
  const container: Container = {
    name: HOST_CONTAINER,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', `${LIFE_SECONDS}`],
    securityContext: { privileged: true },
    volumeMounts: [{ name: 'root', mountPath: HOST_ROOT, mountPropagation: 'HostToContainer' }],
  };
  return ownPod(podName(hostPid ? 'pid' : 'files', node, run, attempt), run, {
    ...onNode(node),
    ...(hostPid ? { hostPID: true } : {}),
    activeDeadlineSeconds: LIFE_SECONDS + GRACE_SECONDS,
    containers: [container],
    volumes: [{ name: 'root', hostPath: { path: '/' } }],
  });
}

export interface CleanupPodRequest {
  readonly node: string;
  readonly run: string;
  /** kube-proxy's own. */
  readonly image: string;
  /** A program of it, with its arguments. */
  readonly command: readonly string[];
  readonly attempt: number;
}

const CLEANUP_SECONDS = 300;

/** One program of kube-proxy's image, whose version is that of the rules that are there; it ends when it is done. */
export function kubeProxyCleanupPod(request: CleanupPodRequest): PodObject {
  const { node, run, image, command, attempt } = request;
  const container: Container = {
    name: 'kube-proxy',
    image,
    imagePullPolicy: 'IfNotPresent',
    command: [...command],
    securityContext: { privileged: true },
    volumeMounts: [
      { name: 'xtables-lock', mountPath: '/run/xtables.lock' },
      { name: 'lib-modules', mountPath: '/lib/modules', readOnly: true },
    ],
  };
  return ownPod(podName('kube-proxy-cleanup', node, run, attempt), run, {
    ...onNode(node),
    activeDeadlineSeconds: CLEANUP_SECONDS,
    containers: [container],
    volumes: [
      { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
      { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
    ],
  });
}

function onNode(nodeName: string): Omit<PodSpec, 'containers'> {
  return {
    nodeName,
    hostNetwork: true,
    dnsPolicy: 'Default',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    priorityClassName: 'system-node-critical',
    tolerations: [{ operator: 'Exists' }],
  };
}

function ownPod(name: string, run: string, spec: PodSpec): PodObject {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace: OWN_NAMESPACE,
      name,
      labels: { ...OWN_LABELS, [ROLE_LABEL]: HOST_ACCESS_ROLE, [RUN_LABEL]: run },
      annotations: { [NODE_ANNOTATION]: spec.nodeName ?? '' },
    },
    spec,
  };
  // A new pod has no status yet; the API gives it one.
  return pod as unknown as PodObject;
}

const NAME_MAX = 63;

/** A name that a person can read, and that no other node or run has. */
function podName(what: string, node: string, run: string, attempt: number): string {
  const key = hashOf(`${node} ${run} ${attempt}`);
  const prefix = `regauge-host-${what}-`;
  const room = NAME_MAX - prefix.length - key.length - 1;
  const shown = node
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, room)
    .replaceAll(/^-+|-+$/g, '');
  return `${prefix}${shown}-${key}`;
}

/** FNV-1a of 32 bits: names apart, not secrets. */
function hashOf(text: string): string {
  let hash = 2_166_136_261;
  for (const char of text) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  }
  return hash.toString(36).padStart(7, '0');
}

/**
 * The image from a mirror: the registry's host is replaced, the path stays, as in containerd's mirrors.
 * Docker Hub's short names are written out first.
 */
export function fromMirror(image: string, mirror: string | undefined): string {
  if (mirror === undefined || mirror === '') return image;
  const [first = '', ...rest] = image.split('/');
  const hasHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const path = hasHost ? rest.join('/') : rest.length > 0 ? image : `library/${image}`;
  return `${mirror.replace(/\/+$/, '')}/${path}`;
}
