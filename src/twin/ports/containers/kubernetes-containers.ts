/**
 * Exec on the twin. The API server asks the kubelet, the kubelet the runtime: each that is not there
 * says so in its own words (KK pkg/kubelet/server).
 */
import { RegaugeError } from '../../../base/errors.ts';
import type { PodObject } from '../../../model/kubernetes.ts';
import type { ContainerPort, ExecRequest, ExecResult } from '../../../ports/index.ts';
import type { TwinNode, World } from '../../world.ts';
import { apiCall } from '../calls.ts';
import { containerFiles } from './container-files.ts';
import { logLines } from './container-logs.ts';
import { containerOf, type ContainerTarget, nodeOf, podOf } from './container-target.ts';
import { programOf } from './exec-programs.ts';

interface RunningContainer {
  readonly pod: PodObject;
  readonly container: string;
  readonly image: string | undefined;
  readonly node: TwinNode;
}

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
