/** How well a node would do, higher is better: apart from its own kind, and where there is room. */
import type { NodeState, Requests } from './node-state.ts';
import type { TermCount } from './pod-counts.ts';

/** Spreading weighs twice, as PodTopologySpread does by default (KK pkg/scheduler/apis/config). */
const SPREAD_WEIGHT = 2;
const SPREAD_STEP = 25;

/** `own`: how many pods of the same owner the node has already. */
export function scoreOf(
  state: NodeState,
  requests: Requests,
  own: number,
  apart: readonly { readonly weight: number; readonly count: TermCount }[],
  domainOf: (node: string, topologyKey: string) => string | undefined,
): number {
  const cpu = free(state.milliCpu, state.usedMilliCpu + requests.milliCpu);
  const memory = free(state.bytes, state.usedBytes + requests.bytes);
  let score = (cpu + memory) / 2 - SPREAD_WEIGHT * SPREAD_STEP * own;
  for (const { weight, count } of apart) {
    const domain = domainOf(state.node.metadata.name, count.topologyKey);
    if (domain !== undefined) score -= weight * (count.byDomain.get(domain) ?? 0);
  }
  return score - 100 * state.softTaints;
}

/** 0…100; a node of unknown size counts as half empty. */
function free(total: number, used: number): number {
  if (!Number.isFinite(total) || total <= 0) return 50;
  return Math.max(0, (100 * (total - used)) / total);
}
