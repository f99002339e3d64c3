/**
 * A plan without the nodes that have left the cluster: what was to be done on them alone is void, what
 * is done on many leaves them out, and no gate asks for them. Ids, hash and order stay: it is the plan
 * that was agreed to, for those that are there.
 */
import type { Action, Gate, Plan, Step } from '../../model/plan.ts';

export function planWithout(plan: Plan, gone: ReadonlySet<string>): Plan {
  if (gone.size === 0) return plan;
  return {
    ...plan,
    steps: plan.steps.map((step) => stepWithout(step, gone, plan)),
    waves: plan.waves.map((wave) => left(wave, gone)),
  };
}

/** It is about nodes, and none of them is there any more. */
export function isVoid(
  { action, nodes }: Step,
  gone: ReadonlySet<string>,
  { waves }: Plan,
): boolean {
  if (gone.size === 0) return false;
  // Its gates are about all that a node that went has left behind.
  if (action.kind === 'verify' && action.scope === 'cluster') return false;
  // The others are held because one is open: without it, pods would have nowhere to go.
  if (action.kind === 'cordon' && action.exceptLabel !== undefined) {
    const held = new Set(action.nodes);
    return waves.flat().every((name) => held.has(name) || gone.has(name));
  }
  const concerned = 'node' in action ? [action.node] : 'nodes' in action ? action.nodes : nodes;
  return concerned.length > 0 && concerned.every((name) => gone.has(name));
}

function stepWithout(step: Step, gone: ReadonlySet<string>, plan: Plan): Step {
  // What is void is not carried out: its action stays what it was, to be told of.
  if (isVoid(step, gone, plan)) return step;
  if (!concerns(step, gone)) return step;
  return {
    ...step,
    nodes: left(step.nodes, gone),
    action: actionWithout(step.action, gone),
    gates: step.gates.flatMap((gate) => gateWithout(gate, gone)),
  };
}

/** Also through gates that ask for every node, or for paths between any two. */
function concerns({ action, nodes, gates }: Step, gone: ReadonlySet<string>): boolean {
  const named = [
    ...nodes,
    ...('nodes' in action ? action.nodes : []),
    ...('confsOf' in action ? (action.confsOf ?? []) : []),
    ...gates.flatMap((gate) => ('nodes' in gate ? gate.nodes : 'node' in gate ? [gate.node] : [])),
  ];
  return named.some((name) => gone.has(name)) || gates.some(asksForAll);
}

function asksForAll(gate: Gate): boolean {
  if (gate.kind === 'paths-clear' || gate.kind === 'dns-answers') return true;
  return gate.kind === 'nodes-ready' && gate.nodes.length === 0;
}

function actionWithout(action: Action, gone: ReadonlySet<string>): Action {
  if (action.kind === 'back-up') {
    const { confsOf, patches } = action;
    return {
      ...action,
      ...(confsOf === undefined ? {} : { confsOf: left(confsOf, gone) }),
      ...(patches === undefined
        ? {}
        : { patches: patches.map((each) => ({ ...each, nodes: left(each.nodes, gone) })) }),
    };
  }
  return 'nodes' in action ? { ...action, nodes: left(action.nodes, gone) } : action;
}

/** A gate on nodes that are all gone asks nothing; one on no nodes would ask for all of them. */
function gateWithout(gate: Gate, gone: ReadonlySet<string>): readonly Gate[] {
  if ('node' in gate) return gone.has(gate.node) ? [] : [gate];
  if (!('nodes' in gate) || gate.nodes.length === 0) return [gate];
  const nodes = left(gate.nodes, gone);
  return nodes.length === 0 ? [] : [{ ...gate, nodes }];
}

function left(names: readonly string[], gone: ReadonlySet<string>): readonly string[] {
  return names.some((name) => gone.has(name)) ? names.filter((name) => !gone.has(name)) : names;
}
