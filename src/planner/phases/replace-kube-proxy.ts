/**
 * kube-proxy's work goes to Cilium once every pod is on Cilium (cilium#21579: replacing it earlier
 * breaks load balancing to pods of the other CNI), node by node: kube-proxy runs on beside it until
 * every agent serves, so that the way back of a node is a label.
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { Gate, Phase, Step } from '../../model/plan.ts';
import { type Choices, REPLACEMENT_LABEL } from '../choices.ts';
import { configurationGate, releaseWith } from '../release.ts';
import type { Situation } from '../situation.ts';
import { inARow, lastOf, makeStep, type StepParts } from '../step.ts';
import { BACK_UP, ownersGate } from './prepare.ts';
import { operatorRollOut } from './roll-outs.ts';

export function replaceKubeProxy(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const { replacing } = choices.values;
  const { replacementConfig } = choices;
  if (replacing === undefined || replacementConfig === undefined) return [];
  const everything = situation.nodes.map(({ name }) => name);
  const well: readonly Gate[] = [
    { kind: 'agents-ready', nodes: everything },
    { kind: 'dns-answers' },
    { kind: 'paths-clear' },
    { kind: 'workloads-ready' },
    ...ownersGate(choices),
  ];
  const prepared = inARow(after, [nodeConfigStep(replacementConfig, well)]);
  const waves = replaceByWave(situation, choices, lastOf(prepared, after));
  const settled = inARow(waves.ends, [
    {
      phase: 'replace-kube-proxy',
      name: 'values',
      title: 'Upgrade the release to say the same as the nodes do',
      action: releaseWith(choices, replacing),
      gates: well,
      scope: 'none',
      worst: 'nothing: every agent works with these settings already',
      undo: releaseWith(choices, choices.values.inCharge),
      timeoutSeconds: 900,
      because: 'an agent that starts on a new node finds no label there',
    },
    // No agent restarts for it: kube-proxy-replacement "true", which each has by its node's label, turns
    // on what the other keys of the release say besides (cilium:daemon/cmd/kube_proxy_replacement.go@v1.16.5).
    operatorRollOut('replace-kube-proxy', choices.namespace),
    removeNodeConfig(replacementConfig, choices),
    ...talosProxyOff(situation, choices, well),
    ...deleteKubeProxy(situation, choices, well),
  ]);
  return [...prepared, ...waves.steps, ...settled];
}

function nodeConfigStep(config: KubeObject, gates: readonly Gate[]): Omit<StepParts, 'after'> {
  return {
    phase: 'replace-kube-proxy',
    name: 'node-config',
    title: 'Apply the CiliumNodeConfig that lets labelled nodes serve Services',
    action: { kind: 'apply-objects', objects: [config] },
    gates,
    scope: 'none',
    worst: 'no node has the label yet',
    undo: 'inverse',
    because: 'a fault in Service handling then shows on one node and not on all',
  };
}

function removeNodeConfig(config: KubeObject, choices: Choices): Omit<StepParts, 'after'> {
  const { apiVersion, kind, metadata } = config;
  const { namespace = '', name } = metadata;
  return {
    phase: 'replace-kube-proxy',
    name: 'remove-node-config',
    title: 'Remove the CiliumNodeConfig of the replacement',
    action: { kind: 'delete-objects', objects: [{ apiVersion, kind, namespace, name }] },
    gates: [configurationGate(choices)],
    scope: 'none',
    worst: 'nothing: the release says the same',
    undo: { kind: 'apply-objects', objects: [config] },
    because: 'two places that say how Services are served would drift apart',
  };
}

interface Replaced {
  readonly steps: readonly Step[];
  /** What the next step waits for. */
  readonly ends: readonly string[];
}

/** In the waves in which the nodes moved; a round begins when all of the one before is seen to be well. */
function replaceByWave(
  situation: Situation,
  { waves }: Choices,
  after: readonly string[],
): Replaced {
  const steps: Step[] = [];
  let before = after;
  let number = 0;
  for (const round of roundsOf(situation, waves)) {
    const made = round.map((nodes) => replaceIn(nodes, (number += 1), before));
    steps.push(...made.flat());
    before = made.flatMap((wave) => wave.slice(-1).map(({ id }) => id));
  }
  return { steps, ends: before };
}

/** As many agents as the release restarts at a time by itself (updateStrategy: cilium:install/kubernetes/cilium/values.yaml@v1.16.5). */
const AGENTS_AT_A_TIME = 2;

/**
 * Waves that are gone through at the same time: the canary alone, then small ones together, as far as that
 * restarts no more agents than a roll-out does anyway, and of control planes no two.
 */
function roundsOf(
  { controlPlanes }: Situation,
  waves: readonly (readonly string[])[],
): readonly (readonly (readonly string[])[])[] {
  const ofControlPlane = new Set(controlPlanes.map(({ name }) => name));
  const rounds: (readonly string[])[][] = [];
  for (const [index, nodes] of waves.entries()) {
    const round = rounds.at(-1);
    const together = [...(round?.flat() ?? []), ...nodes];
    const fits =
      index > 1 &&
      together.length <= AGENTS_AT_A_TIME &&
      together.filter((name) => ofControlPlane.has(name)).length <= 1;
    if (round !== undefined && fits) round.push(nodes);
    else rounds.push([nodes]);
  }
  return rounds;
}

function replaceIn(
  nodes: readonly string[],
  number: number,
  after: readonly string[],
): readonly Step[] {
  const replaced = nodes.map((node) => replaceOn(node, after));
  const verify = makeStep({
    phase: 'replace-kube-proxy',
    name: `wave-${String(number).padStart(2, '0')}/verify`,
    title: `See that Services work from and to ${nodes.length === 1 ? (nodes[0] ?? '') : `the ${nodes.length} nodes of wave ${number}`}`,
    action: { kind: 'verify', scope: 'cluster', nodes },
    after: replaced.map(({ id }) => id),
    gates: [
      { kind: 'agents-ready', nodes },
      { kind: 'dns-answers' },
      { kind: 'paths-clear' },
      { kind: 'workloads-ready' },
      { kind: 'sandboxes-made' },
      { kind: 'tokens-accepted' },
    ],
    scope: 'none',
    worst: 'nothing is changed',
    because: 'what follows begins when all that runs at the same time is seen to be well',
  });
  return [...replaced, verify];
}

function replaceOn(node: string, after: readonly string[]): Step {
  return makeStep({
    phase: 'replace-kube-proxy',
    name: `${node}/replace`,
    title: `Let Cilium serve Services on ${node}, kube-proxy still running`,
    action: { kind: 'reconfigure-agent', node, label: REPLACEMENT_LABEL, selected: true },
    after,
    gates: [{ kind: 'nodes-ready', nodes: [node] }],
    scope: 'node',
    worst: 'connections from the node to Services that were open break once',
    undo: 'inverse',
    timeoutSeconds: 600,
    because:
      'both answer for Services until kube-proxy is gone; the API is reached without a Service address',
  });
}

/** Where it is part of a service of the system, it goes when that is restarted for the old CNI. */
function deleteKubeProxy(
  { adapter: { kubeProxy: objects }, nodes }: Situation,
  choices: Choices,
  gates: readonly Gate[],
): readonly Omit<StepParts, 'after'>[] {
  if (objects.length === 0) return [];
  const names = nodes.map(({ name }) => name);
  return [
    {
      phase: 'replace-kube-proxy',
      name: 'delete-kube-proxy',
      title: 'Delete kube-proxy',
      action: { kind: 'delete-objects', objects },
      nodes: [],
      gates: [configurationGate(choices), ...gates],
      scope: 'cluster',
      worst: 'a node whose agent does not serve Services loses them',
      undo: { kind: 'restore-objects', backup: BACK_UP, objects },
      because: 'kube-proxy would keep rules for Services that Cilium serves',
    },
    cleanRules('replace-kube-proxy', names, gates),
  ];
}

export function cleanRules(
  phase: Phase,
  nodes: readonly string[],
  gates: readonly Gate[],
): Omit<StepParts, 'after'> {
  return {
    phase,
    name: 'clean-rules',
    title: 'Clean the rules kube-proxy left in the kernels',
    action: {
      kind: 'change-node-files',
      nodes,
      remove: [],
      links: [],
      cleanKubeProxyRules: true,
    },
    nodes: [],
    gates,
    scope: 'nodes',
    worst: 'packets that still matched a left rule take the right way from now on',
    undoNote: 'kube-proxy writes its rules again when it runs again',
    timeoutSeconds: 900,
    because:
      'kube-proxy never cleans up when it ends; frozen rules point to addresses that are gone (FM-23)',
  };
}

function talosProxyOff(
  situation: Situation,
  { patches }: Choices,
  gates: readonly Gate[],
): readonly Omit<StepParts, 'after'>[] {
  if (patches === undefined) return [];
  const nodes = situation.controlPlanes.map(({ name }) => name);
  const { patch, undo } = patches.proxyOff;
  return [
    {
      phase: 'replace-kube-proxy',
      name: 'talos-proxy-off',
      title: 'Tell Talos on all control planes that kube-proxy is not its business',
      action: { kind: 'patch-machine-config', nodes, patch },
      gates,
      scope: 'none',
      worst: 'nothing is removed by this',
      undo: { kind: 'patch-machine-config', nodes, patch: undo },
      because: 'a control plane with the old setting would create the DaemonSet again (FM-35)',
    },
  ];
}
