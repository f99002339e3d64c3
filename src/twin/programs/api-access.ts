/**
 * Whether a process gets an answer from the API server. A client library takes the endpoint from
 * KUBERNETES_SERVICE_HOST: KubePrism or a load balancer when the manifest sets it, else the ClusterIP
 * that the kubelet injects, which needs somebody to translate it (cilium-and-flannel.md 3).
 */
import type { ApiVerdict, PathVerdict, ProcessHost } from '../world.ts';
import { fabricOf } from '../network/fabric.ts';
import { settingsOf } from '../network/node-settings.ts';
import { NO_CAUSES } from '../network/verdict.ts';

const LOCAL = new Set(['localhost', '127.0.0.1', '::1']);
const API_PORT = 6443;

export interface ApiEndpoint {
  readonly host: string;
  readonly port: number;
}

/** Undefined when the process has what the kubelet injects: the `kubernetes` service. */
export function apiEndpoint({ container }: ProcessHost): ApiEndpoint | undefined {
  const value = (name: string): string | undefined =>
    container.env?.find((entry) => entry.name === name)?.value;
  const host = value('KUBERNETES_SERVICE_HOST');
  if (host === undefined || host === '') return undefined;
  return { host, port: Number(value('KUBERNETES_SERVICE_PORT') ?? API_PORT) };
}

export function isLocal({ host }: ApiEndpoint): boolean {
  return LOCAL.has(host);
}

export function apiAccess(host: ProcessHost): ApiVerdict {
  const path = pathToApi(host);
  if (!path.ok) return unreachable(path.message, path.because);
  if (!host.world.api.healthy()) {
    return unreachable('the API server does not answer: connect: connection refused', NO_CAUSES);
  }
  const token = host.node.kubelet.tokenOf(host.pod.metadata.uid ?? '');
  return token === undefined ? { ok: true } : host.world.api.check({ kind: 'token', token });
}

function pathToApi(host: ProcessHost): PathVerdict {
  const { node, pod, world } = host;
  const endpoint = apiEndpoint(host);
  const fabric = fabricOf(world);
  if (endpoint === undefined) {
    if (pod.spec.hostNetwork === true) return fabric.hostReachesApiService(node);
    return fabric.reach({ kind: 'pod', pod }, { kind: 'apiserver' });
  }
  if (!isLocal(endpoint)) return answered(node.address);
  const served =
    endpoint.port === settingsOf(node).kubePrismPort ||
    (node.machine.service?.running === true &&
      endpoint.port === node.machine.service.localApiPort) ||
    (node.role === 'control-plane' && endpoint.port === API_PORT);
  if (served && pod.spec.hostNetwork === true) return answered(node.address);
  const message = `dial tcp ${endpoint.host}:${endpoint.port}: connect: connection refused`;
  return { ok: false, sourceSeen: null, message, because: NO_CAUSES };
}

function answered(sourceSeen: string): PathVerdict {
  return { ok: true, sourceSeen, message: '', because: NO_CAUSES };
}

function unreachable(message: string, because: readonly number[]): ApiVerdict {
  return { ok: false, failure: 'unreachable', message, because };
}
