/**
 * Where a run may be left standing for as long as a person likes. Between any two steps the cluster
 * serves; but some pairs of steps are one change to what runs, and a pause waits until it is whole:
 * a node that is labelled while its agent has not taken over would change its network at the next
 * restart of the agent, whoever causes it, and a kube-proxy that is gone while its rules stay sends
 * new connections to addresses that go away (FM-23).
 */
import type { Step } from '../../model/plan.ts';

/** The run may end before this step begins. */
export function isSafePoint({ action, phase }: Step): boolean {
  switch (action.kind) {
    case 'restart-agent':
    case 'reconfigure-agent':
    case 'move-probe':
      return false;
    case 'uncordon':
      return phase !== 'move-nodes';
    case 'change-node-files':
      return !action.cleanKubeProxyRules;
    default:
      return true;
  }
}
