/**
 * The way back from any point of a plan, as a plan: what each step that was reached takes to undo,
 * in reverse, as parallel as the way there was. Nodes that are on the new network still are held
 * meanwhile, so that what leaves a node goes where the old network is and restarts once only.
 */
import { contentHash } from '../base/canonical-json.ts';
import { CILIUM_CONF } from '../knowledge/node-paths.ts';
import type { Action, Gate, Plan, PlanPlatform, Step } from '../model/plan.ts';
import { RECONFIGURED_MARK } from '../steps/reconfigure-agent.ts';
import { MIGRATION_LABEL, REPLACEMENT_LABEL } from './choices.ts';
import { inARow, lastOf, type StepParts } from './step.ts';

/** Devices that stay when the agent goes (cilium:Documentation/installation/k8s-install-migration.rst@main). */
const CILIUM_LINKS = [
  'cilium_vxlan',
  'cilium_geneve',
  // A pair: the other end goes with it.
  'cilium_host',
  'lxc_health',
] as const;

/** Reached: the steps that began, done or not; those that were not done observe as undone. */
export function rollbackPlan(plan: Plan, reached: ReadonlySet<string>): Plan {
  const undoable = plan.steps.filter((step) => reached.has(step.id) && step.undo !== null);
  const nodes = plan.waves.flat();
  const firstMove = undoable.findIndex(({ undo }) => undo?.kind === 'return-node');
  const lastMove = undoable.findLastIndex(({ undo }) => undo?.kind === 'return-node');
  // What came after the moves goes first: the operator that restarts with it needs a node to go to.
  const late = undoSteps(plan, undoable.slice(lastMove + 1), []);
  const opening = firstMove < 0 ? [] : holdMoved(nodes, endsOf(late, []));
  const before = lastOf(opening, endsOf(late, []));
  const early = undoSteps(plan, undoable.slice(0, lastMove + 1), before);
  const ends = endsOf(early, before);
  const closing = inARow(ends, closingParts(plan, undoable, nodes));
  const { id, hash: _hash, predictions: _predictions, ...kept } = plan;
  const body = {
    ...kept,
    steps: [...late, ...opening, ...early, ...closing],
    waves: plan.waves.toReversed(),
    takesBack: id,
  };
  return { ...body, id: `${id}-back`, hash: contentHash(body) };
}

function holdMoved(nodes: readonly string[], after: readonly string[]): readonly Step[] {
  return inARow(after, [
    {
      phase: 'roll-back',
      name: 'hold-moved',
      title: 'Cordon the nodes that are on the new network',
      action: { kind: 'cordon', nodes, onlyLabel: MIGRATION_LABEL },
      nodes: [],
      scope: 'cluster',
      worst: 'pods that find no room wait until their node is back',
      because: 'a pod that is evicted onto a node that goes back later would restart once more',
    },
    {
      phase: 'roll-back',
      name: 'open-others',
      title: 'Uncordon the nodes that have not moved',
      action: { kind: 'uncordon', nodes, exceptLabel: MIGRATION_LABEL },
      nodes: [],
      scope: 'none',
      worst: 'nothing is changed for running pods',
      because: 'what leaves a moved node finds the old network there',
    },
  ]);
}

/** In reverse order; a step is taken back when all that came after it is. */
function undoSteps(
  plan: Plan,
  undoable: readonly Step[],
  first: readonly string[],
): readonly Step[] {
  const lastUndo = new Map<string, string>();
  const following = followersIn(plan, new Set(undoable.map(({ id }) => id)));
  return undoable.toReversed().flatMap((step) => {
    const later = [...following(step.id)].flatMap((id) => lastUndo.get(id) ?? []);
    const chain = undoChain(step, later.length === 0 ? first : later);
    lastUndo.set(step.id, chain.at(-1)?.id ?? '');
    return chain;
  });
}

function undoChain(step: Step, after: readonly string[]): readonly Step[] {
  const actions = [...(step.undo === null ? [] : [step.undo]), ...(step.undoThen ?? [])];
  const steps: Step[] = [];
  for (const [index, action] of actions.entries()) {
    const previous = steps.at(-1);
    steps.push(undoStep(step, action, index, previous === undefined ? after : [previous.id]));
  }
  return steps;
}

function undoStep(step: Step, action: Action, index: number, after: readonly string[]): Step {
  return {
    ...step,
    id: index === 0 ? `undo/${step.id}` : `undo/${step.id}/${index + 1}`,
    kind: action.kind,
    phase: 'roll-back',
    title: `Take back: ${step.title}`,
    action,
    dependsOn: after,
    gates: [],
    pointOfNoReturn: false,
    timeoutSeconds: Math.max(step.timeoutSeconds, UNDO_SECONDS[action.kind] ?? 0),
    undo: null,
    undoNote: 'this is the way back',
    because: `${step.id} was done and is not wanted`,
  };
}

/** Going back restarts pods where going there only set a label. */
const UNDO_SECONDS: Partial<Record<Action['kind'], number>> = {
  'return-node': 1_800,
  'restore-objects': 900,
  'roll-out': 900,
};

/** For each step, the nearest steps after it that are among the wanted. */
function followersIn(plan: Plan, wanted: ReadonlySet<string>): (id: string) => ReadonlySet<string> {
  const nearest = new Map<string, Set<string>>();
  for (const { id, dependsOn } of plan.steps.toReversed()) {
    const seen = wanted.has(id) ? new Set([id]) : (nearest.get(id) ?? new Set<string>());
    for (const before of dependsOn) {
      const known = nearest.get(before);
      if (known === undefined) nearest.set(before, new Set(seen));
      else for (const later of seen) known.add(later);
    }
  }
  return (id) => nearest.get(id) ?? new Set();
}

/** Steps nothing else waits for. */
function endsOf(steps: readonly Step[], otherwise: readonly string[]): readonly string[] {
  const waitedFor = new Set(steps.flatMap(({ dependsOn }) => dependsOn));
  const ends = steps.map(({ id }) => id).filter((id) => !waitedFor.has(id));
  return ends.length === 0 ? otherwise : ends;
}

function closingParts(
  plan: Plan,
  undoable: readonly Step[],
  nodes: readonly string[],
): readonly Omit<StepParts, 'after'>[] {
  const installed = undoable.some(({ undo }) => undo?.kind === 'uninstall-helm-release');
  return [
    ...(installed ? [leftovers(plan, nodes)] : []),
    ...nodes.map(unmark),
    {
      phase: 'roll-back',
      name: 'uncordon',
      title: 'Lift every cordon that regauge set',
      action: { kind: 'uncordon', nodes },
      nodes: [],
      scope: 'none',
      worst: 'nothing is changed for running pods',
      because: 'cordons of others stay, ours go (FM-55)',
    },
    {
      phase: 'roll-back',
      name: 'verify',
      title: 'See that every path works as it did before',
      action: { kind: 'verify', scope: 'cluster', nodes },
      nodes: [],
      gates: proofOf(nodes),
      scope: 'none',
      worst: 'nothing is changed',
      because: 'being back is asserted, not assumed',
    },
  ];
}

function leftovers({ platform }: Plan, nodes: readonly string[]): Omit<StepParts, 'after'> {
  return {
    phase: 'roll-back',
    name: 'leftovers',
    title: 'Remove Cilium’s conf and links from the nodes',
    action: {
      kind: 'change-node-files',
      nodes,
      remove: confDirectories(platform).map((directory) => `${directory}/${CILIUM_CONF}`),
      links: CILIUM_LINKS,
      cleanKubeProxyRules: false,
    },
    nodes: [],
    scope: 'nodes',
    worst: 'a conf that is left behind would win again',
    timeoutSeconds: 900,
    because: 'cni.uninstall is off, so neither Helm nor the agent takes them along',
  };
}

function confDirectories({ cniConfDirectory, afterOldCni }: PlanPlatform): readonly string[] {
  return [cniConfDirectory, ...(afterOldCni === undefined ? [] : [afterOldCni.conf])];
}

function unmark(node: string): Omit<StepParts, 'after'> {
  return {
    phase: 'roll-back',
    name: `${node}/labels`,
    title: `Remove the migration’s labels and marks from ${node}`,
    action: {
      kind: 'label-node',
      node,
      labels: { [MIGRATION_LABEL]: null, [REPLACEMENT_LABEL]: null },
      annotations: { [RECONFIGURED_MARK]: null },
    },
    scope: 'none',
    worst: 'nothing is changed for running pods',
    because: 'what we wrote is taken away again',
  };
}

function proofOf(nodes: readonly string[]): readonly Gate[] {
  return [
    { kind: 'nodes-ready', nodes },
    ...nodes.map((node): Gate => ({ kind: 'conf-selected', node, network: 'flannel' })),
    { kind: 'workloads-ready' },
    { kind: 'volumes-healthy' },
    { kind: 'dns-answers' },
    { kind: 'paths-clear' },
    { kind: 'sandboxes-made' },
    { kind: 'tokens-accepted' },
  ];
}
