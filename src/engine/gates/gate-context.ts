/** What gates look through, and what was wrong before the run began (and is not waited for). */
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Gate, Plan } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import type { Verdict } from '../../steps/step-module.ts';
import { SharedLook } from './shared-look.ts';
import { Warnings } from './warnings.ts';

export interface GateContext {
  readonly ports: Ports;
  readonly plan: Plan;
  /** Paths that lost packets before the first step, by `pathKey`; and what the cluster complained of. */
  readonly failingBefore: ReadonlySet<string>;
  /** Nodes of the plan that have left the cluster. */
  readonly gone: ReadonlySet<string>;
  readonly warnings: Warnings;
  /** Every node there is, by name. */
  readonly nodes: SharedLook<ReadonlyMap<string, NodeObject>>;
}

type GateOf<K extends Gate['kind']> = Extract<Gate, { readonly kind: K }>;

export type GateModule<K extends Gate['kind']> = (
  context: GateContext,
  gate: GateOf<K>,
) => Promise<Verdict>;

/** Of a run that has seen nothing yet; `seen` hears of all nodes whenever they are looked at. */
export function gateContextOf(
  plan: Plan,
  ports: Ports,
  seen: (nodes: readonly NodeObject[]) => Promise<void>,
): GateContext {
  const { kubernetes, clock } = ports;
  return {
    ports,
    plan,
    failingBefore: new Set(),
    gone: new Set(),
    warnings: new Warnings(kubernetes, clock),
    nodes: new SharedLook(clock, async () => {
      const nodes = await kubernetes.list<NodeObject>('v1', 'Node');
      await seen(nodes);
      return new Map(nodes.map((node) => [node.metadata.name, node]));
    }),
  };
}
