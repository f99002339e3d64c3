/** Makes a step of its particulars; what most steps have in common is the default. */
import { stepFor } from '../steps/registry.ts';
import type { Action, BlastRadius, Gate, Phase, Step } from '../model/plan.ts';

export interface StepParts {
  /** After the phase: `talos-wrk-01/label`. */
  readonly name: string;
  readonly phase: Phase;
  readonly title: string;
  readonly action: Action;
  readonly after: readonly string[];
  readonly because: string;
  readonly worst: string;
  readonly scope: BlastRadius['scope'];
  readonly nodes?: readonly string[];
  readonly gates?: readonly Gate[];
  /** `inverse`: what the action's own module says takes it back. */
  readonly undo?: Action | 'inverse' | null;
  /** What the undo needs after it to count. */
  readonly undoThen?: readonly Action[];
  readonly undoNote?: string;
  readonly timeoutSeconds?: number;
  readonly pointOfNoReturn?: boolean;
}

const TIMEOUT_SECONDS = 300;

export function makeStep(parts: StepParts): Step {
  const undo = parts.undo === 'inverse' ? stepFor(parts.action).undo() : (parts.undo ?? null);
  return {
    id: `${parts.phase}/${parts.name}`,
    kind: parts.action.kind,
    phase: parts.phase,
    title: parts.title,
    nodes: parts.nodes ?? nodesOf(parts.action),
    action: parts.action,
    dependsOn: parts.after,
    gates: parts.gates ?? [],
    blastRadius: { scope: parts.scope, worst: parts.worst },
    pointOfNoReturn: parts.pointOfNoReturn ?? false,
    timeoutSeconds: parts.timeoutSeconds ?? TIMEOUT_SECONDS,
    undo,
    ...(parts.undoThen === undefined ? {} : { undoThen: parts.undoThen }),
    ...(undo === null ? { undoNote: parts.undoNote ?? 'nothing needs to be taken back' } : {}),
    because: parts.because,
  };
}

function nodesOf(action: Action): readonly string[] {
  if ('nodes' in action) return action.nodes;
  return 'node' in action ? [action.node] : [];
}

/** Steps in a row, each after the one before; the first after `after`. */
export function inARow(
  after: readonly string[],
  parts: readonly Omit<StepParts, 'after'>[],
): readonly Step[] {
  const steps: Step[] = [];
  for (const part of parts) {
    const previous = steps.at(-1);
    steps.push(makeStep({ ...part, after: previous === undefined ? after : [previous.id] }));
  }
  return steps;
}

/** What the next phase has to wait for. */
export function lastOf(steps: readonly Step[], before: readonly string[]): readonly string[] {
  const last = steps.at(-1);
  return last === undefined ? before : [last.id];
}
