/**
 * How many pods that a term selects are in each topology domain: what anti-affinity asks for. A
 * term is counted from the first pod that carries it on; then each pod that comes or goes costs one
 * look-up by its labels.
 */
import type { LabelSelector, PodAffinityTerm, PodObject } from '../../../model/kubernetes.ts';
import { SelectorIndex } from '../selector-index.ts';

export const HOSTNAME = 'kubernetes.io/hostname';

export interface TermCount {
  readonly topologyKey: string;
  readonly byDomain: Map<string, number>;
}

interface Placed {
  readonly pod: PodObject;
  readonly node: string;
}

export class PodCounts {
  private readonly index = new SelectorIndex<TermCount>();
  private readonly terms = new Map<string, TermCount>();
  private readonly placed: () => Iterable<Placed>;
  private readonly domainOf: (node: string, topologyKey: string) => string | undefined;

  constructor(
    placed: () => Iterable<Placed>,
    domainOf: (node: string, topologyKey: string) => string | undefined,
  ) {
    this.placed = placed;
    this.domainOf = domainOf;
  }

  countOf(namespace: string, term: PodAffinityTerm): TermCount {
    const selector: LabelSelector = term.labelSelector ?? { matchLabels: {} };
    const key = `${namespace}|${term.topologyKey}|${JSON.stringify(selector)}`;
    let count = this.terms.get(key);
    if (count === undefined) {
      count = { topologyKey: term.topologyKey, byDomain: new Map() };
      this.terms.set(key, count);
      this.index.set(key, namespace, selector, count);
      for (const { pod, node } of this.placed()) {
        const terms = this.index.matching(pod.metadata.namespace ?? 'default', pod.metadata.labels);
        if (terms.includes(count)) this.change(count, node, 1);
      }
    }
    return count;
  }

  add(pod: PodObject, node: string, sign: 1 | -1): void {
    if (this.terms.size === 0) return;
    for (const count of this.index.matching(
      pod.metadata.namespace ?? 'default',
      pod.metadata.labels,
    )) {
      this.change(count, node, sign);
    }
  }

  private change(count: TermCount, node: string, sign: 1 | -1): void {
    const domain = this.domainOf(node, count.topologyKey);
    if (domain === undefined) return;
    const next = (count.byDomain.get(domain) ?? 0) + sign;
    if (next === 0) count.byDomain.delete(domain);
    else count.byDomain.set(domain, next);
  }
}
