/** Why a node will not do for a pod, in the scheduler's words (KK pkg/scheduler/framework/plugins). */
import type { OccurrenceKind } from '../../../model/occurrence-kind.ts';
import type { NodeSelectorTerm, PodObject, Taint } from '../../../model/kubernetes.ts';
import { matchesAnyTerm, matchesNodeSelector, UNSCHEDULABLE, untolerated } from '../node-fit.ts';
import { type NodeState, type Requests, requestsOf } from './node-state.ts';
import type { TermCount } from './pod-counts.ts';

export interface Demand {
  readonly pod: PodObject;
  readonly requests: Requests;
  readonly toleratesCordon: boolean;
  /** By labels or fields of the node; most pods take any. */
  readonly choosesNodes: boolean;
  /** Where the pod's volumes can be reached from, one list of terms per volume. */
  readonly volumeTerms: readonly (readonly NodeSelectorTerm[])[];
  readonly apart: readonly TermCount[];
}

export interface Refusal {
  readonly reason: string;
  /** Whether pods that go can change it; else only a change of the node can. */
  readonly byPods: boolean;
}

const HARD = new Set<Taint['effect']>(['NoSchedule', 'NoExecute']);

const CORDONED: Refusal = { reason: 'node(s) were unschedulable', byPods: false };
const SELECTOR: Refusal = {
  reason: "node(s) didn't match Pod's node affinity/selector",
  byPods: false,
};
const VOLUME: Refusal = { reason: 'node(s) had volume node affinity conflict', byPods: false };
const APART: Refusal = { reason: "node(s) didn't match pod anti-affinity rules", byPods: true };
const CPU: Refusal = { reason: 'Insufficient cpu', byPods: true };
const MEMORY: Refusal = { reason: 'Insufficient memory', byPods: true };
const FULL: Refusal = { reason: 'Too many pods', byPods: true };

export function demandOf(
  pod: PodObject,
  volumeTerms: Demand['volumeTerms'],
  apart: readonly TermCount[],
): Demand {
  const toleratesCordon = untolerated([UNSCHEDULABLE], pod.spec.tolerations, HARD) === undefined;
  const choosesNodes =
    pod.spec.nodeSelector !== undefined || pod.spec.affinity?.nodeAffinity !== undefined;
  return { pod, requests: requestsOf(pod), toleratesCordon, choosesNodes, volumeTerms, apart };
}

/** Undefined when the pod can go there. */
export function refusalOf(
  demand: Demand,
  state: NodeState,
  domainOf: (node: string, topologyKey: string) => string | undefined,
): Refusal | undefined {
  const { pod, requests } = demand;
  const { node } = state;
  if (state.cordoned && !demand.toleratesCordon) return CORDONED;
  if (state.taints !== undefined) {
    const taint = untolerated(state.taints, pod.spec.tolerations, HARD);
    if (taint !== undefined) return taintRefusal(taint);
  }
  if (demand.choosesNodes && !matchesNodeSelector(pod.spec, node)) return SELECTOR;
  if (state.podCount >= state.podLimit) return FULL;
  if (requests.milliCpu > 0 && state.usedMilliCpu + requests.milliCpu > state.milliCpu) return CPU;
  if (requests.bytes > 0 && state.usedBytes + requests.bytes > state.bytes) return MEMORY;
  // Loops without closures: a pod that is placed asks this of hundreds of nodes.
  for (const terms of demand.volumeTerms) if (!matchesAnyTerm(terms, node)) return VOLUME;
  for (const term of demand.apart) {
    const domain = domainOf(node.metadata.name, term.topologyKey);
    if (domain !== undefined && term.byDomain.has(domain)) return APART;
  }
  return undefined;
}

const byTaint = new WeakMap<Taint, Refusal>();

/** Put into words once: a pod that is placed may meet hundreds of nodes with the taint. */
function taintRefusal(taint: Taint): Refusal {
  let refusal = byTaint.get(taint);
  if (refusal === undefined) {
    const reason = `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
    byTaint.set(taint, (refusal = { reason, byPods: false }));
  }
  return refusal;
}

/** Whether a volume keeps the pod away from nodes, or only the room on them, or something else. */
export function kindOf(refusals: ReadonlyMap<string, number>): OccurrenceKind {
  if (refusals.has(VOLUME.reason)) return 'scheduler.volume-elsewhere';
  const isFull = [CPU, MEMORY, FULL].some(({ reason }) => refusals.has(reason));
  return isFull ? 'scheduler.no-room' : 'scheduler.unschedulable';
}

/** `0/7 nodes are available: 3 Insufficient cpu, 4 node(s) were unschedulable. …` */
export function refusalText(refusals: ReadonlyMap<string, number>, nodes: number): string {
  const reasons = [...refusals].map(([reason, count]) => `${count} ${reason}`).toSorted();
  const total = [...refusals.values()].reduce((sum, count) => sum + count, 0);
  return (
    `0/${nodes} nodes are available: ${reasons.join(', ')}. ` +
    `preemption: 0/${nodes} nodes are available: ${total} Preemption is not helpful for scheduling.`
  );
}
