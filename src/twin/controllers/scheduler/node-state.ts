/** What the scheduler keeps of a node: its room, kept by differences, and what it tests of every node. */
import { parseQuantity } from '../../../base/quantity.ts';
import {
  controllerOf,
  type NodeObject,
  type PodObject,
  type Taint,
} from '../../../model/kubernetes.ts';

export interface Requests {
  readonly milliCpu: number;
  readonly bytes: number;
}

export class NodeState {
  readonly name: string;
  node: NodeObject;
  milliCpu = 0;
  bytes = 0;
  podLimit = 110;
  usedMilliCpu = 0;
  usedBytes = 0;
  podCount = 0;
  cordoned = false;
  /** Undefined where there are none, as on most nodes. */
  taints: readonly Taint[] | undefined;
  /** Taints that only make the node less liked. */
  softTaints = 0;

  constructor(node: NodeObject) {
    this.name = node.metadata.name;
    this.node = node;
    this.update(node);
  }

  update(node: NodeObject): void {
    this.node = node;
    const { unschedulable, taints = [] } = node.spec;
    this.cordoned = unschedulable === true;
    this.taints = taints.length === 0 ? undefined : taints;
    this.softTaints = taints.filter(({ effect }) => effect === 'PreferNoSchedule').length;
    const room = node.status.allocatable ?? node.status.capacity ?? {};
    this.milliCpu = room['cpu'] === undefined ? Infinity : milliCpuOf(room['cpu']);
    this.bytes = room['memory'] === undefined ? Infinity : bytesOf(room['memory']);
    this.podLimit = room['pods'] === undefined ? 110 : Number(room['pods']);
  }

  add(requests: Requests, sign: 1 | -1): void {
    this.usedMilliCpu += sign * requests.milliCpu;
    this.usedBytes += sign * requests.bytes;
    this.podCount += sign;
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
