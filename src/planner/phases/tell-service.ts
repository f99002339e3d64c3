/**
 * Where the old CNI, kube-proxy or both are part of a service of the system: the agents get ready where
 * the runtime will look next, then the service is told everywhere, then restarted node by node.
 */
import type { Action, Gate, RuntimeDirectories, ServiceProof } from '../../model/plan.ts';
import type {
  DistributionAdapter,
  ServiceChange,
  ServiceRestart,
} from '../distributions/adapter.ts';
import { type Choices, finalValues } from '../choices.ts';
import { releaseWith } from '../release.ts';
import type { Situation } from '../situation.ts';
import type { StepParts } from '../step.ts';
import { BACK_UP } from './prepare.ts';
import { cleanRules } from './replace-kube-proxy.ts';
import { rollOutActions } from './roll-outs.ts';

type Part = Omit<StepParts, 'after'>;

const RESTART_SECONDS = 300;

export function tellService(
  situation: Situation,
  choices: Choices,
  gates: readonly Gate[],
): readonly Part[] {
  const { adapter } = situation;
  const service = adapter.service?.(choices.kubeProxyReplacement);
  if (service === undefined) return [];
  const back = agentsBack(adapter, choices);
  return [
    ...agentsMove(situation, choices, back, gates),
    tell(service, back, { gates, adapter }),
    ...service.restarts.flatMap((restart) => restartParts(situation, restart, service)),
    ...proxyRules(situation, choices, gates),
  ];
}

/** The release where the runtime looks while the old CNI is there, and agents that obey it. */
function agentsBack({ afterOldCni }: DistributionAdapter, choices: Choices): readonly Action[] {
  if (afterOldCni === undefined) return [];
  const [, agents] = rollOutActions(choices.namespace);
  return [releaseWith(choices, finalValues(choices)), agents];
}

/**
 * The conf in the directory that counts now stays: a node that restarts before its service was told
 * finds it there, as one that restarts afterwards finds the new one.
 */
function agentsMove(
  { adapter, nodes }: Situation,
  choices: Choices,
  back: readonly Action[],
  gates: readonly Gate[],
): readonly Part[] {
  const { settled } = choices.values;
  if (adapter.afterOldCni === undefined || settled === undefined) return [];
  const [, agents] = rollOutActions(choices.namespace);
  const [undo, ...undoThen] = back;
  return [
    {
      phase: 'remove-old-cni',
      name: 'agent-directories',
      title: `Let the agents keep conf and plugin in ${adapter.afterOldCni.conf} and ${adapter.afterOldCni.bin}`,
      action: releaseWith(choices, settled),
      gates,
      scope: 'nodes',
      worst: 'agents restart; running pods are not touched',
      undo: undo ?? null,
      undoThen,
      timeoutSeconds: 900,
      because:
        'the runtime looks there once the old CNI is switched off, and must find a conf at once',
    },
    {
      phase: 'remove-old-cni',
      name: 'roll-out-agents',
      title: 'Restart the Cilium agents, a few at a time',
      action: agents,
      nodes: [],
      scope: 'nodes',
      worst: 'no new pod starts on a node until its agent is back; running pods are not touched',
      timeoutSeconds: 900 + 30 * nodes.length,
      because: 'each writes conf and plugin when it starts',
    },
  ];
}

/** Its undo takes the restarts along: what a service was told is only taken back when it starts again. */
function tell(
  service: ServiceChange,
  back: readonly Action[],
  { gates, adapter }: { readonly gates: readonly Gate[]; readonly adapter: DistributionAdapter },
): Part {
  const { path, content, writtenOn: nodes, restarts, proof } = service;
  const removal: Action = { kind: 'write-node-file', nodes, path, content: null };
  const restarted = restarts.map((restart): Action => ({
    kind: 'restart-service',
    nodes: restart.nodes,
    service: restart.service,
    proof: reversed(restart.proof ?? proof),
  }));
  const [undo = removal, ...undoThen] = [...back, removal, ...restarted, ...returned(adapter)];
  return {
    phase: 'remove-old-cni',
    name: 'tell-service',
    title: `Write ${path} on ${nodes.length === 1 ? (nodes[0] ?? '') : `${nodes.length} nodes`}`,
    action: { kind: 'write-node-file', nodes, path, content },
    gates,
    scope: 'none',
    worst: 'nothing until the service starts again, and then what the next steps do',
    undo,
    undoThen,
    pointOfNoReturn: true,
    because: 'a change that the service is not told of ends with its next start',
  };
}

/** What it leaves when it was told what it was told before. */
function reversed(proof: ServiceProof): ServiceProof {
  return { ...proof, present: !proof.present };
}

/** Where the service brings the old CNI back, that takes until its pods are ready. */
function returned({ oldCni, oldCniReturns }: DistributionAdapter): readonly Action[] {
  if (oldCniReturns !== 'with-service') return [];
  return [{ kind: 'restore-objects', backup: BACK_UP, objects: oldCni }];
}

function restartParts(
  { adapter }: Situation,
  { service, nodes, hasEtcd, title, because, proof: own }: ServiceRestart,
  { proof: shared }: ServiceChange,
): readonly Part[] {
  return nodes.map((node) => ({
    phase: 'remove-old-cni',
    name: `${node}/restart-${service}`,
    title: `${title} on ${node}`,
    action: { kind: 'restart-service', nodes: [node], service, proof: own ?? shared },
    gates: [
      { kind: 'nodes-ready', nodes: [] },
      { kind: 'agents-ready', nodes: [node] },
      ...confGate(node, adapter),
      ...(hasEtcd ? [{ kind: 'etcd-quorum', node } as const] : []),
      { kind: 'workloads-ready' },
      { kind: 'paths-clear' },
    ],
    scope: 'node',
    worst: 'pods run on; no pod starts on the node until the service is back',
    undoNote: 'taken back with the file that the service reads',
    timeoutSeconds: RESTART_SECONDS,
    because,
  }));
}

/** Where kube-proxy was part of the service, it went with the restarts. */
function proxyRules(
  { adapter, nodes }: Situation,
  { values }: Choices,
  gates: readonly Gate[],
): readonly Part[] {
  if (values.replacing === undefined || adapter.kubeProxy.length > 0) return [];
  return [
    cleanRules(
      'remove-old-cni',
      nodes.map(({ name }) => name),
      gates,
    ),
  ];
}

/** Of a node whose agent has not written it yet the runtime would find nothing. */
function confGate(node: string, { afterOldCni }: DistributionAdapter): readonly Gate[] {
  if (afterOldCni === undefined) return [];
  const directories: RuntimeDirectories = { conf: afterOldCni.conf, bin: afterOldCni.bin };
  return [{ kind: 'conf-selected', node, network: 'cilium', directories }];
}
