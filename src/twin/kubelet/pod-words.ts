/** The words and shapes a kubelet hands on: to the runtime, and from it into events. */
import { normalVersion, atLeast } from '../../base/versions.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import type { SandboxRequest } from '../world.ts';

const CRI_PREFIX = 'rpc error: code = ';

/** A runtime's error as gRPC hands it to the kubelet (truth README: "The kubelet prints…"). */
export function criError(message: string): string {
  return message.startsWith(CRI_PREFIX) ? message : `${CRI_PREFIX}Unknown desc = ${message}`;
}

/** Two failures are the same one when they differ in ids only. */
export function maskIds(message: string): string {
  return message.replaceAll(/[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<ID>');
}

/** `FailedKillPod`, with the inner error quoted as Go quotes (truth K08). */
export function killPodText(uid: string, error: string): string {
  return `error killing pod: failed to "KillPodSandbox" for "${uid}" with KillPodSandboxError: ${JSON.stringify(criError(error))}`;
}

/** The colon came with 1.33 (truth K03). */
export function createdText(kubernetes: string, container: string): string {
  // One text for all pods of a workload: events are kept, and are many.
  return createdTexts.of(`${kubernetes} ${container}`, () => created(kubernetes, container));
}

export function startedText(container: string): string {
  return startedTexts.of(container, () => `Started container ${container}`);
}

export function stoppingText(container: string): string {
  return stoppingTexts.of(container, () => `Stopping container ${container}`);
}

export function presentImageText(image: string): string {
  return presentImageTexts.of(image, () => `Container image "${image}" already present on machine`);
}

/** Texts made once for each name. */
class Texts {
  private readonly known = new Map<string, string>();

  of(name: string, make: () => string): string {
    let text = this.known.get(name);
    if (text !== undefined) return text;
    text = make();
    if (this.known.size >= TEXTS_MAX) this.known.clear();
    this.known.set(name, text);
    return text;
  }
}

const TEXTS_MAX = 4_096;
const createdTexts = new Texts();
const startedTexts = new Texts();
const stoppingTexts = new Texts();
const presentImageTexts = new Texts();

function created(kubernetes: string, container: string): string {
  const colon = normalVersion(kubernetes) === undefined || atLeast(kubernetes, '1.33.0');
  return colon ? `Created container: ${container}` : `Created container ${container}`;
}

/** As Go prints a duration of whole seconds: `10s`, `2m40s`, `5m0s`. */
export function showSeconds(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

export function sandboxRequest(pod: PodObject): SandboxRequest {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  return {
    podUid: pod.metadata.uid ?? '',
    namespace: pod.metadata.namespace ?? 'default',
    name: pod.metadata.name,
    hostNetwork: pod.spec.hostNetwork === true,
    hostPorts: containers.flatMap(({ ports = [] }) =>
      ports.flatMap(({ hostPort, containerPort, protocol = 'TCP' }) =>
        hostPort === undefined ? [] : [{ hostPort, containerPort, protocol }],
      ),
    ),
  };
}
