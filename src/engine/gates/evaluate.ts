/** The module of each kind of gate. A gate that cannot be evaluated does not hold, and says why. */
import { unreachable } from '../../base/assert.ts';
import type { Gate } from '../../model/plan.ts';
import { fails, type Verdict } from '../../steps/step-module.ts';
import { canariesMeet } from './canary.ts';
import { sandboxesMade, tokensAccepted } from './complaints.ts';
import { configurationKept } from './configuration.ts';
import { etcdQuorum } from './etcd-quorum.ts';
import type { GateContext } from './gate-context.ts';
import {
  agentsReady,
  confSelected,
  nodeAddressesUnchanged,
  nodesReady,
  noOldPods,
  rulesGone,
} from './nodes.ts';
import { ownersSuspended } from './owners.ts';
import { dnsAnswers, pathsClear } from './paths.ts';
import { volumesHealthy, webhooksReachable, workloadsReady } from './workloads.ts';

/** `onError` hears why it could not be evaluated, and may throw what is no matter of the gate. */
export async function evaluateGate(
  context: GateContext,
  gate: Gate,
  onError?: (error: unknown) => void,
): Promise<Verdict> {
  try {
    return await evaluate(context, gate);
  } catch (error) {
    onError?.(error);
    return fails(
      `could not be evaluated: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function evaluate(context: GateContext, gate: Gate): Promise<Verdict> {
  switch (gate.kind) {
    case 'nodes-ready':
      return nodesReady(context, gate);
    case 'agents-ready':
      return agentsReady(context, gate);
    case 'conf-selected':
      return confSelected(context, gate);
    case 'etcd-quorum':
      return etcdQuorum(context, gate);
    case 'workloads-ready':
      return workloadsReady(context, gate);
    case 'dns-answers':
      return dnsAnswers(context, gate);
    case 'paths-clear':
      return pathsClear(context, gate);
    case 'volumes-healthy':
      return volumesHealthy(context, gate);
    case 'no-old-pods':
      return noOldPods(context, gate);
    case 'node-addresses-unchanged':
      return nodeAddressesUnchanged(context, gate);
    case 'rules-gone':
      return rulesGone(context, gate);
    case 'configuration-kept':
      return configurationKept(context, gate);
    case 'webhooks-reachable':
      return webhooksReachable(context, gate);
    case 'owners-suspended':
      return ownersSuspended(context, gate);
    case 'canaries-meet':
      return canariesMeet(context, gate);
    case 'sandboxes-made':
      return sandboxesMade(context, gate);
    case 'tokens-accepted':
      return tokensAccepted(context, gate);
    default:
      return unreachable(gate);
  }
}

/** `conf-selected talos-wrk-01 cilium`, for events and runbooks. */
export function showGate(gate: Gate): string {
  const nodes = 'nodes' in gate ? shortList(gate.nodes) : 'node' in gate ? gate.node : '';
  const network = gate.kind === 'conf-selected' ? ` ${gate.network}` : '';
  return `${gate.kind}${nodes === '' ? '' : ` ${nodes}`}${network}`;
}

function shortList(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.length} nodes`;
}
