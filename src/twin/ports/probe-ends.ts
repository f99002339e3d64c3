/**
 * The probe pods of each node: whether their processes run, and on which network they are. One look
 * at paths asks the same of a node for each path that begins or ends there, so answers are kept until
 * `lookAnew`.
 */
import type { PathClass } from '../../model/rehearsal.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import { isReady } from '../network/service-table.ts';
import type { NetworkEnd, World } from '../world.ts';
import { podClass } from './probe-paths.ts';

export type End = 'pod' | 'host';

interface NodeEnds {
  /** Undefined where the probe does not run. */
  readonly pod: NetworkEnd | undefined;
  readonly host: NetworkEnd | undefined;
  readonly podClass: PathClass;
}

export class ProbeEnds {
  private readonly nodes: World['nodes'];
  private readonly pods = { pod: new Map<string, PodObject>(), host: new Map<string, PodObject>() };
  private readonly seen = new Map<string, NodeEnds>();

  constructor(nodes: World['nodes']) {
    this.nodes = nodes;
  }

  /** True when packets may fare otherwise than before; most of what is written of a pod is not so. */
  put(end: End, node: string, pod: PodObject): boolean {
    const old = this.pods[end].get(node);
    const isOther = old?.metadata.uid !== pod.metadata.uid;
    // One that ends may speak after its successor.
    if (old !== undefined && isOther && pod.metadata.deletionTimestamp !== undefined) return false;
    this.pods[end].set(node, pod);
    return (
      old === undefined ||
      isOther ||
      hasProcess(old) !== hasProcess(pod) ||
      old.metadata.labels !== pod.metadata.labels ||
      old.spec.hostNetwork !== pod.spec.hostNetwork
    );
  }

  drop(end: End, node: string, pod: PodObject): boolean {
    const pods = this.pods[end];
    return pods.get(node)?.metadata.uid === pod.metadata.uid && pods.delete(node);
  }

  podOn(node: string): PodObject | undefined {
    return this.pods.pod.get(node);
  }

  /** The probe's pod there, while its process runs. */
  podUidOn(end: End, node: string): string | undefined {
    return this.on(node)[end] === undefined ? undefined : this.pods[end].get(node)?.metadata.uid;
  }

  /** Where the pod's probe is reached; undefined while it does not run. */
  addressOn(node: string): string | undefined {
    if (this.on(node).pod === undefined) return undefined;
    return this.nodes.get(node)?.network.attachmentOf(this.podUidOn('pod', node) ?? '')?.ip;
  }

  lookAnew(): void {
    this.seen.clear();
  }

  on(node: string): NodeEnds {
    let ends = this.seen.get(node);
    if (ends === undefined) this.seen.set(node, (ends = this.look(node)));
    return ends;
  }

  private look(name: string): NodeEnds {
    const node = this.nodes.get(name);
    const pod = this.pods.pod.get(name);
    const host = this.pods.host.get(name);
    const attachment = node?.network.attachmentOf(pod?.metadata.uid ?? '');
    // A crashed node's pods still look well in the API.
    const up = node?.machine.up === true;
    return {
      pod:
        up && pod !== undefined && attachment !== undefined && hasProcess(pod)
          ? { kind: 'pod', pod }
          : undefined,
      host: up && host !== undefined && hasProcess(host) ? { kind: 'host', node: name } : undefined,
      podClass: podClass(attachment?.network),
    };
  }
}

function hasProcess(pod: PodObject): boolean {
  const statuses = pod.status.containerStatuses;
  if (statuses === undefined) return isReady(pod);
  return statuses.length > 0 && statuses.every(({ state }) => state?.running !== undefined);
}
