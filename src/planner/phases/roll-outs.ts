/** Operator first, then agents: both read their ConfigMap only when they start. */
import type { Action, Phase } from '../../model/plan.ts';
import type { StepParts } from '../step.ts';

/** Agents roll two at a time on a small cluster; a restart takes well under half a minute. */
const SECONDS_PER_NODE = 30;

type RollOut = Extract<Action, { readonly kind: 'roll-out' }>;

/** Of the operator, then of the agents. */
export function rollOutActions(namespace: string): readonly [RollOut, RollOut] {
  const place = { apiVersion: 'apps/v1', namespace } as const;
  return [
    { kind: 'roll-out', target: { ...place, kind: 'Deployment', name: 'cilium-operator' } },
    { kind: 'roll-out', target: { ...place, kind: 'DaemonSet', name: 'cilium' } },
  ];
}

export function rollOuts(
  phase: Phase,
  namespace: string,
  nodes: number,
): readonly Omit<StepParts, 'after'>[] {
  const [, agents] = rollOutActions(namespace);
  return [
    operatorRollOut(phase, namespace),
    {
      phase,
      name: 'roll-out-agents',
      title: 'Restart the Cilium agents, a few at a time',
      action: agents,
      scope: 'nodes',
      worst: 'no new pod starts on a node until its agent is back; running pods are not touched',
      timeoutSeconds: 900 + SECONDS_PER_NODE * nodes,
      because: 'the agent reads its configuration when it starts',
    },
  ];
}

export function operatorRollOut(phase: Phase, namespace: string): Omit<StepParts, 'after'> {
  const [operator] = rollOutActions(namespace);
  return {
    phase,
    name: 'roll-out-operator',
    title: 'Restart the Cilium operator',
    action: operator,
    scope: 'none',
    worst: 'no new node gets a pod range meanwhile',
    timeoutSeconds: 600,
    because: 'the operator reads its configuration when it starts',
  };
}
