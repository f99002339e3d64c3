/**
 * Node by node: label, restart the agent, see that the runtime takes Cilium's conf, restart the
 * pods, verify. Nodes that have not moved are cordoned, so that every pod restarts once only; so the
 * agents of a wave can restart while the pods of the one before move: no pod is on them yet, none starts.
 */
import type { Gate, NodeStrategy, Step } from '../../model/plan.ts';
import { MIGRATION_LABEL, type Choices } from '../choices.ts';
import type { Situation } from '../situation.ts';
import { makeStep } from '../step.ts';
import { storageOf } from '../storage.ts';
import { BACK_UP } from './prepare.ts';

/** The strategy with which nodes that have not moved are cordoned. */
const HELD: NodeStrategy = 'evict-in-place';
const RESTART_SECONDS = 1_800;
const DRAIN_SECONDS = 900;

interface WaveContext {
  readonly situation: Situation;
  readonly choices: Choices;
  readonly number: number;
  readonly nodes: readonly string[];
  /** Nodes of later waves. */
  readonly later: readonly string[];
  readonly after: readonly string[];
  /** Where the wave is prepared before `after`: the steps that opened the nodes of the wave before. */
  readonly opened: readonly string[] | undefined;
  /** Volumes have copies on nodes. */
  readonly hasCopies: boolean;
}

export function moveNodes(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const steps: Step[] = [];
  let before = after;
  const hasCopies = storageOf(situation.facts).present;
  choices.waves.forEach((nodes, index) => {
    const later = index === 0 ? choices.waves.slice(1).flat() : [];
    const number = index + 1;
    const opened = isPrepared(choices, index)
      ? openings(choices.waves[index - 1] ?? [])
      : undefined;
    const after = before;
    const context = { situation, choices, number, nodes, later, after, opened, hasCopies };
    const wave = waveSteps(context);
    steps.push(...wave);
    before = [wave.at(-1)?.id ?? ''];
  });
  return steps;
}

/**
 * Nothing follows the canary before it is seen to be well. After it, a wave may be prepared where its nodes
 * are held all the while and none of the wave before reboots.
 */
function isPrepared({ waves, strategy, strategyOf }: Choices, index: number): boolean {
  return (
    index >= 2 &&
    waves
      .slice(index - 1, index + 1)
      .flat()
      .every((node) => strategy === HELD && (strategyOf.get(node) ?? strategy) === HELD)
  );
}

function openings(nodes: readonly string[]): readonly string[] {
  return nodes.map((node) => `move-nodes/${openingOf(node)}`);
}

function openingOf(node: string): string {
  return `${node}/open`;
}

function waveSteps(context: WaveContext): readonly Step[] {
  const { nodes, number, after, opened, later, choices } = context;
  const label = `wave-${String(number).padStart(2, '0')}`;
  const hold = makeStep({
    phase: 'move-nodes',
    name: `${label}/hold`,
    title: `Cordon ${nodes.length === 1 ? (nodes[0] ?? '') : `the ${nodes.length} nodes of wave ${number}`} until it is on Cilium`,
    action: { kind: 'cordon', nodes, exceptLabel: MIGRATION_LABEL },
    after: opened ?? after,
    gates: [{ kind: 'nodes-ready', nodes: [] }],
    scope: 'none',
    worst: 'new pods go to other nodes for a minute',
    undo: 'inverse',
    because: 'a pod that starts between two networks would have to start twice',
  });
  const moves = nodes.map((node) => nodeSteps(context, node, hold.id));
  const others = later.length > 0 && choices.strategy === HELD ? [holdOthers(later, moves)] : [];
  const linked =
    others.length === 0 ? moves : moves.map((steps) => afterOthers(steps, others[0]?.id ?? ''));
  return [
    hold,
    ...linked.flatMap(({ opening }) => opening),
    ...others,
    ...linked.flatMap(({ moving }) => moving),
    closing(context, label, linked),
  ];
}

interface NodeMove {
  /** Until the node gives new pods the new network. */
  readonly opening: readonly Step[];
  readonly moving: readonly Step[];
}

/** With the canary open, nothing else is: whatever moves goes where the new network is. */
function holdOthers(later: readonly string[], moves: readonly NodeMove[]): Step {
  return makeStep({
    phase: 'move-nodes',
    name: 'hold-others',
    title: `Cordon the ${later.length} nodes that have not moved`,
    action: { kind: 'cordon', nodes: later, exceptLabel: MIGRATION_LABEL },
    nodes: [],
    after: moves.flatMap(({ opening }) => opening.slice(-1).map(({ id }) => id)),
    scope: 'cluster',
    worst: 'pods that find no room wait until their node has moved',
    undo: 'inverse',
    because: 'a pod that is evicted onto a node that moves later would restart once more there',
  });
}

function afterOthers({ opening, moving }: NodeMove, others: string): NodeMove {
  return {
    opening,
    moving: moving.map((step, index) =>
      index === 0 ? { ...step, dependsOn: [...step.dependsOn, others] } : step,
    ),
  };
}

function nodeSteps(context: WaveContext, node: string, hold: string): NodeMove {
  const strategy = context.choices.strategyOf.get(node) ?? context.choices.strategy;
  const label = labelStep(context, node, hold, strategy);
  const agent = makeStep({
    phase: 'move-nodes',
    name: `${node}/restart-agent`,
    title: `Restart the Cilium agent of ${node}`,
    action: { kind: 'restart-agent', node },
    after: [label.id],
    scope: 'node',
    worst: 'no new pod starts on the node until the agent is back; running pods are not touched',
    undoNote: 'taken back with the label',
    timeoutSeconds: 600,
    because: 'CiliumNodeConfig is read only when the agent’s pod starts',
  });
  const canary = context.number === 1 ? [canaryStep(context, node, agent.id)] : [];
  const met = canary.length === 0 ? [] : canaryGates(context, node);
  const open = makeStep({
    phase: 'move-nodes',
    name: openingOf(node),
    title: `Uncordon ${node}: new pods get Cilium there`,
    action: { kind: 'uncordon', nodes: [node] },
    after: [canary[0]?.id ?? agent.id, ...(context.opened === undefined ? [] : context.after)],
    gates: [
      { kind: 'conf-selected', node, network: 'cilium' },
      { kind: 'nodes-ready', nodes: [node] },
      ...preparedGates(context, node, strategy),
      ...met,
    ],
    scope: 'none',
    worst: 'nothing is changed for running pods',
    undoNote: 'taken back with the label',
    because: 'pods evicted from the node may come back to it, on the new network',
  });
  const opening = [label, agent, ...canary, ...(strategy === 'reboot' ? [] : [open])];
  const from = opening.at(-1)?.id ?? agent.id;
  const restart = restartStep(context, node, from, strategy, strategy === 'reboot' ? met : []);
  return { opening, moving: [restart, verifyStep(node, restart.id)] };
}

/** While the node is still cordoned: no workload is on the new network before it was tried. */
function canaryStep({ later }: WaveContext, node: string, after: string): Step {
  const [beside] = later;
  return makeStep({
    phase: 'move-nodes',
    name: `${node}/canary`,
    title: `Let a pod of regauge’s own be the first on Cilium, on ${node}`,
    action: { kind: 'move-probe', node, ...(beside === undefined ? {} : { beside }) },
    after: [after],
    gates: [{ kind: 'conf-selected', node, network: 'cilium' }],
    scope: 'none',
    worst: 'nothing is changed for other pods',
    undoNote: 'taken back with the label',
    because: 'what is wrong between the two networks shows on a pod that nobody needs',
  });
}

/** Canary pods on the new and the old network: both directions, names, Services, the outside. */
function canaryGates({ later }: WaveContext, node: string): readonly Gate[] {
  return [
    { kind: 'canaries-meet', node, alone: later.length === 0 },
    { kind: 'dns-answers' },
    { kind: 'paths-clear' },
  ];
}

/** Where the wave before has moved since the label: what was asked then is asked again. */
function preparedGates(
  { situation, choices, opened }: WaveContext,
  node: string,
  strategy: NodeStrategy,
): readonly Gate[] {
  if (opened === undefined) return [];
  return [
    { kind: 'agents-ready', nodes: [node] },
    ...quorumGate(situation, choices, node, strategy),
  ];
}

function labelStep(
  { situation, choices, opened }: WaveContext,
  node: string,
  hold: string,
  strategy: NodeStrategy,
): Step {
  return makeStep({
    phase: 'move-nodes',
    name: `${node}/label`,
    title: `Label ${node} for Cilium`,
    action: { kind: 'label-node', node, labels: { [MIGRATION_LABEL]: 'true' } },
    after: [hold],
    gates: [
      // Also where the node was held with the others before, and much has happened since.
      { kind: 'nodes-ready', nodes: [] },
      // While the wave before moves: it must not be in trouble already.
      ...(opened === undefined ? [] : [{ kind: 'paths-clear' } as const]),
      ...quorumGate(situation, choices, node, strategy),
    ],
    scope: 'none',
    worst: 'nothing happens until the agent restarts',
    undo: {
      kind: 'return-node',
      node,
      strategy: strategy === 'reboot' ? 'evict-in-place' : strategy,
      label: MIGRATION_LABEL,
      oldConf: situation.adapter.oldNetwork.conf,
      backup: BACK_UP,
    },
    because: 'the label selects the node for the CiliumNodeConfig',
  });
}

function quorumGate(
  situation: Situation,
  { acceptApiOutage }: Choices,
  node: string,
  strategy: NodeStrategy,
): readonly Gate[] {
  const isControlPlane = situation.controlPlanes.some(({ name }) => name === node);
  if (!isControlPlane || situation.distribution !== 'talos') return [];
  const alone = situation.controlPlanes.length === 1;
  // Without a reboot the only voter goes on voting, and no other could stand in for it.
  if (alone && strategy !== 'reboot') return [];
  return [{ kind: 'etcd-quorum', node, ...(alone ? { consent: acceptApiOutage } : {}) }];
}

const RESTART_TITLES: Readonly<Record<NodeStrategy, (node: string) => string>> = {
  'evict-in-place': (node) => `Move the pods of ${node}: evict them within their budgets`,
  reboot: (node) => `Drain and reboot ${node}`,
  'sandbox-restart': (node) => `Give the pods of ${node} new sandboxes in place`,
};

function restartStep(
  { situation, choices, hasCopies }: WaveContext,
  node: string,
  after: string,
  strategy: NodeStrategy,
  first: readonly Gate[],
): Step {
  const { budgetsWithoutRoom } = choices;
  return makeStep({
    phase: 'move-nodes',
    name: `${node}/restart-pods`,
    title: RESTART_TITLES[strategy](node),
    action: {
      kind: 'restart-pods',
      node,
      strategy,
      drainTimeoutSeconds: DRAIN_SECONDS,
      ...(budgetsWithoutRoom.length === 0 ? {} : { budgetsWithoutRoom }),
    },
    after: [after],
    gates: [
      ...(strategy === 'reboot'
        ? [
            { kind: 'conf-selected', node, network: 'cilium' } as const,
            // Asked again: minutes have passed since the label.
            ...quorumGate(situation, choices, node, strategy),
          ]
        : []),
      // With copies away elsewhere, those of this node may be a volume's last.
      ...(hasCopies ? [{ kind: 'volumes-healthy' } as const] : []),
      ...first,
    ],
    scope: 'pods',
    worst: 'each pod of the node is away for one restart; budgets hold',
    undoNote: 'taken back with the label: the pods restart once more, on the old network',
    timeoutSeconds: RESTART_SECONDS,
    because: 'a pod keeps the network it was started with until its sandbox is made anew',
  });
}

function verifyStep(node: string, after: string): Step {
  return makeStep({
    phase: 'move-nodes',
    name: `${node}/verify`,
    title: `See that ${node} runs on Cilium`,
    action: { kind: 'verify', scope: 'node', nodes: [node] },
    after: [after],
    scope: 'none',
    worst: 'nothing is changed',
    because: 'a node counts as moved when it is seen to be, not when the steps were run',
  });
}

function closing(
  { number, nodes, choices }: WaveContext,
  label: string,
  moves: readonly NodeMove[],
): Step {
  return makeStep({
    phase: 'move-nodes',
    name: `${label}/verify`,
    title:
      number === 1
        ? 'See that the canary is well before the others follow'
        : `See that wave ${number} of ${choices.waves.length} is well`,
    action: { kind: 'verify', scope: 'cluster', nodes },
    after: moves.flatMap(({ moving }) => moving.slice(-1).map(({ id }) => id)),
    gates: [
      { kind: 'nodes-ready', nodes },
      { kind: 'agents-ready', nodes },
      { kind: 'no-old-pods', nodes },
      { kind: 'workloads-ready' },
      { kind: 'volumes-healthy' },
      { kind: 'dns-answers' },
      { kind: 'paths-clear' },
      { kind: 'webhooks-reachable' },
      { kind: 'sandboxes-made' },
      { kind: 'tokens-accepted' },
    ],
    scope: 'none',
    worst: 'nothing is changed',
    because: 'at most one wave is ever in an unhealthy state',
  });
}
