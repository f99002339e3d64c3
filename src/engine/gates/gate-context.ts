/** What gates look through, and what was wrong before the run began (and is not waited for). */
import type { Gate, Plan } from '../../model/plan.ts';
import type { Ports } from '../../ports/index.ts';
import type { Verdict } from '../../steps/step-module.ts';
import type { Warnings } from './warnings.ts';

export interface GateContext {
  readonly ports: Ports;
  readonly plan: Plan;
  /** Paths that lost packets before the first step, by `pathKey`; and what the cluster complained of. */
  readonly failingBefore: ReadonlySet<string>;
  readonly warnings: Warnings;
}

type GateOf<K extends Gate['kind']> = Extract<Gate, { readonly kind: K }>;

export type GateModule<K extends Gate['kind']> = (
  context: GateContext,
  gate: GateOf<K>,
) => Promise<Verdict>;
