/**
 * Exec on the twin, and which container is meant, for logs too (container-logs.ts). The API server asks
 * the kubelet, the kubelet the runtime: each that is
 * not there says so in its own words (KK pkg/registry/core/pod/strategy.go, pkg/kubelet/server).
 */
import { RegaugeError } from '../../base/errors.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import type { ContainerPort, ExecRequest, ExecResult } from '../../ports/index.ts';
import type { TwinNode, World } from '../world.ts';
import { apiCall } from './calls.ts';
import { containerFiles } from './container-files.ts';
import { logLines } from './container-logs.ts';
import { programOf } from './exec-programs.ts';

/** Which container of which pod is meant. */
export interface ContainerTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}

interface RunningContainer {
  readonly pod: PodObject;
  readonly container: string;
  readonly image: string | undefined;
  readonly node: TwinNode;
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

export function createContainerPort(world: World): ContainerPort {
  return {
    exec: (request) => apiCall(world, () => streamed(execInPod(world, request), request)),
    logs: (request) => logLines(world, request),
  };
}

function streamed(result: ExecResult, { onStdout }: ExecRequest): ExecResult {
  if (onStdout === undefined) return result;
  onStdout(new TextEncoder().encode(result.stdout));
  return { ...result, stdout: '' };
}

/** The result of the command, at once; throws `refused` with the runtime's words. */
export function execInPod(
  world: World,
  request: ContainerTarget & Pick<ExecRequest, 'command' | 'stdin'>,
): ExecResult {
  const { pod, container, image, node } = runningContainer(world, request);
  const [word = '', ...args] = request.command;
  const program = programOf(word, image);
  if (program === undefined) throw notFoundInPath(word, pod);
  const isPrivileged = pod.spec.containers.some(
    ({ name, securityContext }) => name === container && securityContext?.privileged === true,
  );
  const files = containerFiles(world, node, pod, container);
  return program(args, { world, node, pod, isPrivileged, files }, textOf(request.stdin));
}

function runningContainer(world: World, request: ContainerTarget): RunningContainer {
  const pod = podOf(world, request);
  const container = containerOf(pod, request.container);
  const node = nodeOf(world, pod);
  if (!isRunning(pod, container, node)) {
    throw new RegaugeError(
      'refused',
      `unable to upgrade connection: container not found ("${container}")`,
    );
  }
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const image = all.find(({ name }) => name === container)?.image;
  return { pod, container, image, node };
}

export function podOf({ store }: World, { namespace, pod }: ContainerTarget): PodObject {
  const found = store.get('Pod', namespace, pod);
  if (found !== undefined) return found;
  throw new RegaugeError('not-found', `pods "${pod}" not found`);
}

export function containerOf({ spec, metadata }: PodObject, wanted: string | undefined): string {
  const all = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
  if (wanted !== undefined) {
    if (all.includes(wanted)) return wanted;
    const message = `container ${wanted} is not valid for pod ${metadata.name}`;
    throw new RegaugeError('refused', message);
  }
  const [only, second] = spec.containers;
  const named = metadata.annotations?.[DEFAULT_CONTAINER];
  if (named !== undefined && all.includes(named)) return named;
  if (only !== undefined && second === undefined) return only.name;
  const choices = all.join(' ');
  const message = `a container name must be specified for pod ${metadata.name}, choose one of: [${choices}]`;
  throw new RegaugeError('refused', message);
}

export function nodeOf({ nodes }: World, { spec, metadata }: PodObject): TwinNode {
  if (spec.nodeName === undefined) {
    throw new RegaugeError('refused', `pod ${metadata.name} does not have a host assigned`);
  }
  const node = nodes.get(spec.nodeName);
  if (node === undefined) {
    const message = `error dialing backend: no node ${spec.nodeName} is known`;
    throw new RegaugeError('unreachable', message);
  }
  if (node.machine.up && node.kubelet.running) return node;
  const why = node.machine.up ? 'connect: connection refused' : 'i/o timeout';
  const message = `error dialing backend: dial tcp ${node.address}:10250: ${why}`;
  throw new RegaugeError('unreachable', message);
}

function isRunning(pod: PodObject, container: string, node: TwinNode): boolean {
  const { uid } = pod.metadata;
  return uid !== undefined && node.kubelet.process(uid, container) !== undefined;
}

function notFoundInPath(word: string, pod: PodObject): RegaugeError {
  const missing = word.includes('/')
    ? `stat ${word}: no such file or directory`
    : 'executable file not found in $PATH';
  const task = (pod.metadata.uid ?? '').replaceAll('-', '');
  return new RegaugeError(
    'refused',
    `Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "${task}": OCI runtime exec failed: exec failed: unable to start container process: exec: "${word}": ${missing}: unknown`,
  );
}

function textOf(stdin: string | Uint8Array | undefined): string {
  if (stdin === undefined) return '';
  return typeof stdin === 'string' ? stdin : new TextDecoder().decode(stdin);
}
