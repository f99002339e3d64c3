/**
 * Cordons and uncordons, remembering on the node which cordons are regauge's: only those are ever
 * lifted (FM-55: tools that share `spec.unschedulable` lift each other's).
 */
import type { NodeObject } from '../model/kubernetes.ts';
import type { KubernetesPort } from '../ports/index.ts';
import { getNode } from './pods.ts';
import { type ActionOf, type StepModule, verifyByObserving } from './step-module.ts';
import { inParallel, NODES_AT_A_TIME } from './waiting.ts';

export const CORDON_MARK = 'regauge.dev/cordoned-by';

export async function setSchedulable(
  kubernetes: KubernetesPort,
  node: string,
  mark: string | null,
): Promise<void> {
  await kubernetes.patch(
    { apiVersion: 'v1', kind: 'Node', name: node },
    {
      metadata: { annotations: { [CORDON_MARK]: mark } },
      spec: { unschedulable: mark === null ? null : true },
    },
  );
}

export const cordon: StepModule<'cordon'> = {
  async observe({ ports }, action) {
    const missing = await firstNode(ports.kubernetes, action.nodes, (node) =>
      needsCordon(node, action),
    );
    return missing === undefined ? 'done' : 'todo';
  },

  async act({ ports, plan }, action) {
    await inParallel(action.nodes, NODES_AT_A_TIME, async (name) => {
      const node = await getNode(ports.kubernetes, name);
      if (needsCordon(node, action)) await setSchedulable(ports.kubernetes, name, plan.id);
    });
  },

  verify: (context, action) =>
    verifyByObserving(cordon, context, action, 'a node is still schedulable'),

  undo: ({ nodes }) => ({ kind: 'uncordon', nodes }),
};

export const uncordon: StepModule<'uncordon'> = {
  async observe({ ports }, action) {
    const held = await firstNode(ports.kubernetes, action.nodes, (node) => isToOpen(node, action));
    return held === undefined ? 'done' : 'todo';
  },

  async act({ ports }, action) {
    await inParallel(action.nodes, NODES_AT_A_TIME, async (name) => {
      if (isToOpen(await getNode(ports.kubernetes, name), action))
        await setSchedulable(ports.kubernetes, name, null);
    });
  },

  verify: (context, action) =>
    verifyByObserving(uncordon, context, action, 'a node is still cordoned'),

  undo: ({ nodes }) => ({ kind: 'cordon', nodes }),
};

function needsCordon(
  node: NodeObject | undefined,
  { exceptLabel, onlyLabel }: ActionOf<'cordon'>,
): boolean {
  if (node === undefined || node.spec.unschedulable === true) return false;
  if (onlyLabel !== undefined && !carries(node, onlyLabel)) return false;
  return exceptLabel === undefined || !carries(node, exceptLabel);
}

function isToOpen(node: NodeObject | undefined, { exceptLabel }: ActionOf<'uncordon'>): boolean {
  if (node === undefined || !isOurs(node)) return false;
  return exceptLabel === undefined || !carries(node, exceptLabel);
}

function carries({ metadata }: NodeObject, label: string): boolean {
  return metadata.labels?.[label] !== undefined;
}

/** Also when somebody else has lifted it meanwhile: the mark would make a later cordon of theirs ours. */
function isOurs({ metadata }: NodeObject): boolean {
  return metadata.annotations?.[CORDON_MARK] !== undefined;
}

async function firstNode(
  kubernetes: KubernetesPort,
  names: readonly string[],
  test: (node: NodeObject | undefined) => boolean,
): Promise<string | undefined> {
  for (const name of names) {
    if (test(await getNode(kubernetes, name))) return name;
  }
  return undefined;
}
