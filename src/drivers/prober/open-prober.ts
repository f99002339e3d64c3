/**
 * Probes on a real cluster: agents on every node, on the pod network and on the host, whose results
 * are read from their logs, so that a broken pod network hides nothing.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { ClockPort, KubernetesPort, ProberPort } from '../../ports/index.ts';

export interface ProberSettings {
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  /** The agent's program as text: `import agentScript from '…/probe-agent/agent.script'` in cli. */
  readonly agentScript: string;
  /** Ranges of the new network (`plan.to.podCidrs`); else those the CiliumNodes tell. */
  readonly newPodCidrs?: readonly string[];
  /** An image with `node` in it, where the pinned public one cannot be pulled. */
  readonly image?: string;
  /** `host:port` outside the cluster, or `none`. */
  readonly egress?: string;
  /** A name outside the cluster that is asked for. */
  readonly externalName?: string;
  /** Logs read per second at most, of the 20 requests a client may send; 8 when absent. */
  readonly readsPerSecond?: number;
  /** How long `start` waits for the agents (seconds); 120 when absent. */
  readonly startSeconds?: number;
}

/** Nothing is asked of the cluster before `start`. */
export function openProber(_settings: ProberSettings): Required<ProberPort> {
  const missing = (): never => {
    throw new RegaugeError('refused', 'this build has no probes for real clusters');
  };
  return {
    start: () => Promise.resolve().then(missing),
    failing: () => Promise.resolve().then(missing),
    unknown: () => Promise.resolve().then(missing),
    attend: () => undefined,
    observations: () => Promise.resolve().then(missing),
    stop: () => Promise.resolve(),
  };
}
