/** What the scheduler keeps of a node: room, and whose pods are on it; kept by differences. */
import { parseQuantity } from '../../../base/quantity.ts';
import { controllerOf, type NodeObject, type PodObject } from '../../../model/kubernetes.ts';

export interface Requests {
  readonly milliCpu: number;
  readonly bytes: number;
}

export class NodeState {
  node: NodeObject;
  milliCpu = 0;
  bytes = 0;
  podLimit = 110;
  usedMilliCpu = 0;
  usedBytes = 0;
  podCount = 0;
  readonly byOwner = new Map<string, number>();

  constructor(node: NodeObject) {
    this.node = node;
    this.update(node);
  }

  update(node: NodeObject): void {
    this.node = node;
    const room = node.status.allocatable ?? node.status.capacity ?? {};
    this.milliCpu = room['cpu'] === undefined ? Infinity : milliCpuOf(room['cpu']);
    this.bytes = room['memory'] === undefined ? Infinity : bytesOf(room['memory']);
    this.podLimit = room['pods'] === undefined ? 110 : Number(room['pods']);
  }

  add(requests: Requests, owner: string | undefined, sign: 1 | -1): void {
    this.usedMilliCpu += sign * requests.milliCpu;
    this.usedBytes += sign * requests.bytes;
    this.podCount += sign;
    if (owner === undefined) return;
    const count = (this.byOwner.get(owner) ?? 0) + sign;
    if (count === 0) this.byOwner.delete(owner);
    else this.byOwner.set(owner, count);
  }
}

const requestsBySpec = new WeakMap<object, Requests>();

/** Sum over the containers; an init container counts where it asks for more than all of them. */
export function requestsOf(pod: PodObject): Requests {
  const { containers, initContainers = [] } = pod.spec;
  let requests = requestsBySpec.get(containers);
  if (requests !== undefined) return requests;
  const of = (name: string, read: (text: string) => number): number => {
    const one = (container: (typeof containers)[number]): number =>
      read(container.resources?.requests?.[name] ?? '0');
    const total = containers.reduce((sum, container) => sum + one(container), 0);
    const sidecars = initContainers
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .reduce((sum, container) => sum + one(container), 0);
    return Math.max(total + sidecars, ...initContainers.map(one));
  };
  requests = { milliCpu: of('cpu', milliCpuOf), bytes: of('memory', bytesOf) };
  requestsBySpec.set(containers, requests);
  return requests;
}

export function ownerOf(pod: PodObject): string | undefined {
  return controllerOf(pod)?.uid;
}

/** What is no quantity asks for nothing. */
export function bytesOf(quantity: string): number {
  return parseQuantity(quantity) ?? 0;
}

export function milliCpuOf(quantity: string): number {
  return bytesOf(quantity) * 1000;
}
