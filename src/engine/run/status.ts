/** How each node stands, as the API tells it (contract: Status): one pass over nodes and pods. */
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import type { Plan } from '../../model/plan.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import { CORDON_MARK } from '../../steps/cordon.ts';
import { hasAddressIn, isNodeReady, isOver } from '../../steps/pods.ts';
import { keptPlan, type RunRecord } from './run-record.ts';

export interface NodeStatus {
  readonly name: string;
  /** By the addresses of its pods; `none` when it has none, or nothing tells whose they are. */
  readonly owner: 'old' | 'new' | 'none' | 'both';
  readonly runtime: string;
  readonly pods: {
    readonly old: number;
    readonly new: number;
    readonly host: number;
    readonly stuck: number;
  };
  readonly ready: boolean;
  /** `regauge`, or `others`. */
  readonly cordoned?: 'regauge' | 'others';
}

export interface StatusDocument {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Status';
  readonly migration?: {
    readonly planId: string;
    readonly phase: string;
    readonly startedAt: string;
    readonly step?: string;
    readonly updatedAt: string;
    readonly state: RunRecord['state'];
    readonly done: number;
    readonly total: number;
    readonly holder: string;
    readonly auditLog?: string;
    readonly message?: string;
  };
  readonly nodes: readonly NodeStatus[];
}

interface Counts {
  old: number;
  new: number;
  host: number;
  stuck: number;
}

export async function nodeStatuses(
  kubernetes: KubernetesReads,
  record: RunRecord | undefined,
): Promise<readonly NodeStatus[]> {
  const plan = record === undefined ? undefined : await keptPlan(kubernetes, record.planHash);
  const nodes = await kubernetes.list<NodeObject>('v1', 'Node');
  const counts = new Map<string, Counts>(
    nodes.map(({ metadata }) => [metadata.name, { old: 0, new: 0, host: 0, stuck: 0 }]),
  );
  for await (const page of kubernetes.pages<PodObject>('v1', 'Pod')) {
    for (const pod of page.items) {
      const count = counts.get(pod.spec.nodeName ?? '');
      if (count !== undefined) countPod(count, pod, plan);
    }
  }
  return nodes
    .map((node) => statusOf(node, counts.get(node.metadata.name)))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function countPod(count: Counts, pod: PodObject, plan: Plan | undefined): void {
  if (isOver(pod)) return;
  if (pod.spec.hostNetwork === true) count.host += 1;
  else if (pod.status.podIP === undefined || pod.status.podIP === '') count.stuck += 1;
  else if (plan !== undefined && hasAddressIn(pod, plan.to.podCidrs)) count.new += 1;
  else count.old += 1;
}

function statusOf({ metadata, spec, status }: NodeObject, counts: Counts | undefined): NodeStatus {
  const pods = counts ?? { old: 0, new: 0, host: 0, stuck: 0 };
  const isOurs = metadata.annotations?.[CORDON_MARK] !== undefined;
  return {
    name: metadata.name,
    owner: pods.old > 0 ? (pods.new > 0 ? 'both' : 'old') : pods.new > 0 ? 'new' : 'none',
    runtime: status.nodeInfo?.containerRuntimeVersion ?? 'unknown',
    pods,
    ready: isNodeReady({ metadata, spec, status, apiVersion: 'v1', kind: 'Node' }),
    ...(spec.unschedulable === true ? { cordoned: isOurs ? 'regauge' : 'others' } : {}),
  };
}
