/**
 * The hosts of a cluster's nodes behind one port: the Talos API with host access for what that cannot
 * do, or host access alone. Nothing is asked of the cluster before the first call.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Distribution } from '../../model/facts.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import type { NodeHostPort } from '../../ports/node-host.ts';
import { talosNodeHost } from '../talos/node-host.ts';
import type { TalosChannel } from '../talos/talos-channel.ts';

export interface HostAccessSettings {
  /** Names the pods of this run; what bears another name is another run's. A label value. */
  readonly run: string;
  /** Without it only mounts that pods have already are read through, and nothing is created. */
  readonly mayCreatePods: boolean;
  /** The caller holds the Lease: pods of other runs are leftovers, and go at once. */
  readonly isExclusive?: boolean;
  /** The image of the pods, as a reference; a small pinned one when absent. */
  readonly image?: string;
  /** `registry.example:5000/mirror`, instead of the registry of the images. */
  readonly registryMirror?: string;
  /** Milliseconds a pod may take to start; 120 s when absent. */
  readonly startDeadlineMs?: number;
}

export interface NodeHostOptions {
  readonly kubernetes: KubernetesPort;
  /** On Talos; closed by who opened it. */
  readonly talos?: TalosChannel;
  readonly distribution: Distribution;
  readonly hostAccess: HostAccessSettings;
  /** Addresses by node name that are known already, from Node objects. */
  readonly addresses?: ReadonlyMap<string, string>;
  /** From Talos 1.13 on upgrades leave draining to their client. */
  readonly drain?: (node: string) => Promise<void>;
}

export interface OpenedNodeHost {
  readonly nodeHost: NodeHostPort;
  /** Removes what crashed runs left, by name of the pods; `close` does too. */
  sweep(): Promise<readonly string[]>;
  /** Removes the pods of this run; the namespace stays, others use it too. */
  close(): Promise<void>;
}

export function openNodeHost({
  talos,
  addresses,
  drain,
  distribution,
}: NodeHostOptions): OpenedNodeHost {
  if (talos === undefined) {
    throw new RegaugeError('refused', `host access on ${distribution} is not there yet`);
  }
  const options = {
    ...(addresses === undefined ? {} : { addresses }),
    ...(drain === undefined ? {} : { drain }),
  };
  return {
    nodeHost: talosNodeHost(talos, undefined, options),
    sweep: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}
