/**
 * A plan with nodes that joined after it was made: each is taken in as one like it that the plan knows. It
 * moves in a wave of its own after the others, and is in every list in which the other one is. Ids, order
 * and hash of what was there stay: it is the plan that was agreed to, with more nodes.
 */
import type { Action, Gate, JoinedNode, Phase, Plan, Step } from '../model/plan.ts';

/** Phases that go wave by wave. */
const IN_WAVES: readonly Phase[] = ['move-nodes', 'replace-kube-proxy'];

/** The same plan object where nobody joined. */
export function planWith(plan: Plan, joined: readonly JoinedNode[]): Plan {
  const known = new Set(plan.waves.flat());
  return joined.filter(({ name }) => !known.has(name)).reduce(withOne, plan);
}

function withOne(plan: Plan, node: JoinedNode): Plan {
  const wave = plan.waves.findIndex((nodes) => nodes.includes(node.like));
  if (wave < 0) return plan;
  const place: Place = { node, wave: waveName(wave), own: waveName(plan.waves.length) };
  const inWaves = IN_WAVES.flatMap((phase) => appendedWave(plan, phase, place));
  const beside = plan.steps.filter((step) => !isInWaves(step) && isOf(step, node.like));
  return {
    ...plan,
    steps: plan.steps.flatMap((step) => {
      const kept = waitingFor(extended(step, node), inWaves, beside, node);
      const follows = inWaves.filter(({ last }) => last === step.id).flatMap(({ steps }) => steps);
      return beside.includes(step) ? [kept, twin(step, node), ...follows] : [kept, ...follows];
    }),
    waves: [...plan.waves, [node.name]],
    joined: [...(plan.joined ?? []), node],
  };
}

interface Place {
  readonly node: JoinedNode;
  /** Name of the wave of the other one, and of the node's own. */
  readonly wave: string;
  readonly own: string;
}

function waveName(index: number): string {
  return `wave-${String(index + 1).padStart(2, '0')}`;
}

/** A step of that node alone. */
function isOf({ id }: Step, node: string): boolean {
  return id.includes(`/${node}/`);
}

function isInWaves({ id, phase }: Step): boolean {
  return IN_WAVES.includes(phase) && !id.startsWith('undo/');
}

// ------------------------------------------------------------ waves

interface AppendedWave {
  /** The step it stands behind, and waits for. */
  readonly last: string;
  readonly end: string;
  readonly steps: readonly Step[];
}

/** What the other one's wave does with it, once more for the node, when all waves are through. */
function appendedWave(
  { steps }: Plan,
  phase: Phase,
  { node, wave, own }: Place,
): readonly AppendedWave[] {
  const last = steps.findLast((step) => isInWaves(step) && isWaveEnd(step, phase))?.id;
  const models = steps.filter(
    (step) =>
      isInWaves(step) &&
      step.phase === phase &&
      (isOf(step, node.like) || step.id.startsWith(`${phase}/${wave}/`)) &&
      step.action.kind !== 'move-probe',
  );
  if (last === undefined || models.length === 0) return [];
  const rename = (id: string): string =>
    id.replace(`/${node.like}/`, `/${node.name}/`).replace(`/${wave}/`, `/${own}/`);
  const ids = new Set(models.map(({ id }) => id));
  const skipped = steps.filter(({ action }) => action.kind === 'move-probe');
  const dependsOn = (step: Step): readonly string[] => {
    // The canary's own step is not done again; what waited for it waits for what that waited for.
    const before = step.dependsOn.flatMap(
      (id) => skipped.find((each) => each.id === id)?.dependsOn ?? [id],
    );
    const inside = before.filter((id) => ids.has(id)).map(rename);
    return inside.length === 0 ? [last] : inside;
  };
  const made = models.map((step) => ({
    ...renamed(step, node),
    id: rename(step.id),
    title: isOf(step, node.like) ? titleFor(step, node) : waveTitle(step, node),
    dependsOn: dependsOn(step),
  }));
  return [{ last, end: rename(`${phase}/${wave}/verify`), steps: made }];
}

function isWaveEnd({ id }: Step, phase: Phase): boolean {
  return id.startsWith(`${phase}/wave-`) && id.endsWith('/verify');
}

function waveTitle({ action }: Step, { name }: JoinedNode): string {
  return action.kind === 'cordon'
    ? `Cordon ${name}, which joined, until it is on Cilium`
    : `See that all is well with ${name}, which joined`;
}

// ------------------------------------------------------------ the node's own steps

/** Right after the other one's: in a row where those are. */
function twin(step: Step, node: JoinedNode): Step {
  return {
    ...renamed(step, node),
    id: twinId(step, node),
    title: titleFor(step, node),
    dependsOn: [step.id],
  };
}

function twinId({ id }: Step, { name, like }: JoinedNode): string {
  return id.replace(`/${like}/`, `/${name}/`);
}

function titleFor({ title }: Step, { name, like }: JoinedNode): string {
  return title
    .split(' ')
    .map((word) => (word.replace(/[:,]$/, '') === like ? word.replace(like, name) : word))
    .join(' ');
}

/** Of all nodes that it is about, only the one that joined. */
function renamed(step: Step, node: JoinedNode): Step {
  const { name, like } = node;
  const action = renamedAction(step.action, name);
  return {
    ...step,
    nodes: step.nodes.length === 0 ? [] : [name],
    action,
    gates: step.gates.flatMap((gate) => renamedGate(gate, like, name)),
    undo: step.undo === null ? null : renamedAction(step.undo, name),
    ...(step.undoThen === undefined
      ? {}
      : { undoThen: step.undoThen.map((each) => renamedAction(each, name)) }),
    because: step.because,
  };
}

function renamedAction(action: Action, name: string): Action {
  if ('node' in action) return { ...action, node: name };
  if ('nodes' in action && action.nodes.length > 0) return { ...action, nodes: [name] };
  return action;
}

function renamedGate(gate: Gate, like: string, name: string): readonly Gate[] {
  if (gate.kind === 'canaries-meet') return [];
  if ('node' in gate) return gate.node === like ? [{ ...gate, node: name }] : [gate];
  if ('nodes' in gate && gate.nodes.length > 0) return [{ ...gate, nodes: [name] }];
  return [gate];
}

// ------------------------------------------------------------ steps of many

function extended(step: Step, node: JoinedNode): Step {
  if (isOf(step, node.like) || isOfOneWave(step)) return step;
  const nodes = joinedTo(step.nodes, node);
  const action = extendedAction(step.action, node);
  const gates = mapped(step.gates, (gate) => extendedGate(gate, node));
  const undo = step.undo === null ? null : extendedAction(step.undo, node);
  const undoThen = mapped(step.undoThen ?? [], (each) => extendedAction(each, node));
  const isSame =
    nodes === step.nodes &&
    action === step.action &&
    gates === step.gates &&
    undo === step.undo &&
    (step.undoThen === undefined || undoThen === step.undoThen);
  if (isSame) return step;
  const more = step.undoThen === undefined ? {} : { undoThen };
  return { ...step, nodes, action, gates, undo, ...more };
}

function isOfOneWave(step: Step): boolean {
  return isInWaves(step) && /^[^/]+\/wave-\d+\//.test(step.id);
}

function extendedAction(action: Action, node: JoinedNode): Action {
  if (action.kind === 'back-up') {
    const confsOf = action.confsOf === undefined ? undefined : joinedTo(action.confsOf, node);
    return confsOf === undefined || confsOf === action.confsOf ? action : { ...action, confsOf };
  }
  if (!('nodes' in action)) return action;
  const nodes = joinedTo(action.nodes, node);
  return nodes === action.nodes ? action : { ...action, nodes };
}

function extendedGate(gate: Gate, node: JoinedNode): Gate {
  if (!('nodes' in gate)) return gate;
  const nodes = joinedTo(gate.nodes, node);
  if (nodes === gate.nodes) return gate;
  if (gate.kind !== 'node-addresses-unchanged') return { ...gate, nodes };
  const { name, internalIps } = node;
  return { ...gate, nodes, expected: { ...gate.expected, [name]: internalIps } };
}

function joinedTo(names: readonly string[], { name, like }: JoinedNode): readonly string[] {
  return names.includes(like) ? [...names, name] : names;
}

/** The same list where nothing changed. */
function mapped<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
  const changed = items.map(change);
  return changed.some((item, index) => item !== items[index]) ? changed : items;
}

/** What waited for the last wave, or for the other one's step, waits for the node's as well. */
function waitingFor(
  step: Step,
  waves: readonly AppendedWave[],
  beside: readonly Step[],
  node: JoinedNode,
): Step {
  const more = [
    ...waves.filter(({ last }) => step.dependsOn.includes(last)).map(({ end }) => end),
    ...beside.filter(({ id }) => step.dependsOn.includes(id)).map((each) => twinId(each, node)),
  ];
  return more.length === 0 ? step : { ...step, dependsOn: [...step.dependsOn, ...more] };
}
