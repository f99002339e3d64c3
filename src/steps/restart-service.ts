/**
 * Restarts a service of the nodes' system, one node after the other, and waits until each has taken its
 * configuration and is Ready: by a file that the service writes when it starts. The API server may be
 * part of what restarts, so an answer that does not come is waited for like one that says no.
 */
import { type ErrorCode, RegaugeError } from '../base/errors.ts';
import type { ServiceProof } from '../model/plan.ts';
import { getNode, isNodeReady } from './pods.ts';
import { fails, HOLDS, type StepContext, type StepModule, type Verdict } from './step-module.ts';
import { waitUntil } from './waiting.ts';

export const restartService: StepModule<'restart-service'> = {
  async observe(context, { nodes, proof }) {
    for (const node of nodes) if (!(await hasTaken(context, node, proof))) return 'todo';
    return 'done';
  },

  async act(context, { nodes, service, proof }) {
    const { ports, deadline } = context;
    for (const node of nodes) {
      if (await hasTaken(context, node, proof)) continue;
      await told(ports.nodeHost.restartService(node, service));
      const back = await waitUntil(ports.clock, deadline, () => isBack(context, node, proof));
      if (!back.holds)
        throw new Error(
          `${back.message} after ${service} was restarted (journalctl -u ${service})`,
        );
    }
  },

  async verify(context, { nodes, proof }) {
    for (const node of nodes) {
      const verdict = await isBack(context, node, proof);
      if (!verdict.holds) return verdict;
    }
    return HOLDS;
  },

  undo: ({ nodes, service, proof }) => ({
    kind: 'restart-service',
    nodes,
    service,
    proof: { ...proof, present: !proof.present },
  }),
};

/** What may be said while API server, kubelet or both start again; whoever is not let in hears it at once. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'refused',
  'not-found',
  'timeout',
  'throttled',
]);

function passes(error: unknown): error is RegaugeError {
  return error instanceof RegaugeError && PASSING.has(error.code);
}

/** The answer may be lost with what was restarted: whether it was is seen by what it leaves. */
async function told(restart: Promise<void>): Promise<void> {
  try {
    await restart;
  } catch (error) {
    if (!(error instanceof RegaugeError) || error.code !== 'unreachable') throw error;
  }
}

async function hasTaken(
  { ports }: StepContext,
  node: string,
  { path, text, present, staticPod }: ServiceProof,
): Promise<boolean> {
  const taken = ((await ports.nodeHost.read(node, path)) ?? '').includes(text) === present;
  if (!taken || staticPod === undefined) return taken;
  const { namespace, name } = staticPod;
  const address = { apiVersion: 'v1', kind: 'Pod', namespace, name: `${name}-${node}` };
  return ((await ports.kubernetes.get(address)) !== undefined) === present;
}

async function isBack(context: StepContext, node: string, proof: ServiceProof): Promise<Verdict> {
  try {
    if (!(await hasTaken(context, node, proof)))
      return fails(`${node} has not taken its configuration`);
    const object = await getNode(context.ports.kubernetes, node);
    return isNodeReady(object) ? HOLDS : fails(`${node} is not Ready`);
  } catch (error) {
    if (passes(error)) return fails(error.message);
    throw error;
  }
}
