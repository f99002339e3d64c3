/**
 * The network agents that run on nodes anyway, and the paths of the node that they have mounted: what
 * can be read through them needs no pod of ours. Found by the labels their charts and manifests give
 * them; what each mounts is taken from its own spec.
 */
import { RegaugeError } from '../../base/errors.ts';
import { type HostMount, hostMounts } from '../../knowledge/host-mounts.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import type { KubernetesReads, ListOptions } from '../../ports/index.ts';

export interface ExecPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly mounts: readonly HostMount[];
  /** Sees the node's links. */
  readonly hostNetwork: boolean;
}

/** Flannel (Talos and RKE2 by `k8s-app`, upstream by `app`), Canal, Calico, Cilium. */
const SELECTORS = ['k8s-app in (flannel,canal,calico-node,cilium)', 'app=flannel'];

/** Nodes that are asked for one by one before all agents are listed. */
const ASKED_ALONE_MAX = 3;

export class AgentMounts {
  private readonly kubernetes: Pick<KubernetesReads, 'list'>;
  private found: Promise<ReadonlyMap<string, readonly ExecPlace[]>> | undefined;
  private readonly foundOn = new Map<string, Promise<readonly ExecPlace[]>>();

  constructor(kubernetes: Pick<KubernetesReads, 'list'>) {
    this.kubernetes = kubernetes;
  }

  /** Containers that run on the node; none where we may not list pods. */
  async on(node: string): Promise<readonly ExecPlace[]> {
    if (this.found === undefined && this.foundOn.size >= ASKED_ALONE_MAX && !this.foundOn.has(node))
      this.found = this.load();
    if (this.found !== undefined) return (await this.found).get(node) ?? [];
    const known = this.foundOn.get(node) ?? this.loadOn(node);
    this.foundOn.set(node, known);
    return known;
  }

  /** Agents were replaced since: they are looked for anew. */
  forget(): void {
    this.found = undefined;
    this.foundOn.clear();
  }

  /** Few nodes of a large cluster are asked for by themselves: its agents are a list of many pages. */
  private async loadOn(node: string): Promise<readonly ExecPlace[]> {
    const pods: PodObject[] = [];
    for (const labelSelector of SELECTORS)
      pods.push(...(await this.list({ labelSelector, nodeName: node })));
    return pods.flatMap(placesIn);
  }

  /** Two lists for the whole cluster, however many nodes there are. */
  private async load(): Promise<ReadonlyMap<string, readonly ExecPlace[]>> {
    const byNode = new Map<string, ExecPlace[]>();
    for (const labelSelector of SELECTORS) {
      for (const pod of await this.list({ labelSelector })) {
        const { nodeName } = pod.spec;
        if (nodeName === undefined) continue;
        byNode.set(nodeName, [...(byNode.get(nodeName) ?? []), ...placesIn(pod)]);
      }
    }
    return byNode;
  }

  private async list(options: ListOptions): Promise<readonly PodObject[]> {
    try {
      return await this.kubernetes.list<PodObject>('v1', 'Pod', options);
    } catch (error) {
      if (error instanceof RegaugeError && error.code === 'forbidden') return [];
      throw error;
    }
  }
}

function placesIn({ metadata, spec, status }: PodObject): readonly ExecPlace[] {
  if (metadata.deletionTimestamp !== undefined) return [];
  return spec.containers.flatMap(({ name }) => {
    const state = status.containerStatuses?.find((each) => each.name === name)?.state;
    if (state?.running === undefined) return [];
    const pod: PodObject = { apiVersion: 'v1', kind: 'Pod', metadata, spec, status };
    return [placeIn(pod, name)];
  });
}

export function placeIn(pod: PodObject, container: string): ExecPlace {
  return {
    namespace: pod.metadata.namespace ?? 'default',
    pod: pod.metadata.name,
    container,
    mounts: hostMounts(pod, container),
    hostNetwork: pod.spec.hostNetwork === true,
  };
}
