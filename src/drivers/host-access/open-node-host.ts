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
import { etcdMembersByObjects } from './etcd-members.ts';
import { hostFiles } from './host-files.ts';
import { HostPods } from './host-pods.ts';
import { hostSystem } from './host-system.ts';
import { NodeCommands } from './node-commands.ts';

/** What is reached through Kubernetes alone. */
type HostAlone = Omit<
  NodeHostPort,
  'machineConfig' | 'patchMachineConfig' | 'upgrade' | 'etcdMembers' | 'upgradeKubernetes'
>;

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

export function openNodeHost(options: NodeHostOptions): OpenedNodeHost {
  const { kubernetes, talos, addresses, drain, distribution, hostAccess } = options;
  const { mayCreatePods, ...settings } = hostAccess;
  const pods = new HostPods({ kubernetes, ...settings });
  const commands = new NodeCommands({ kubernetes, pods, mayCreatePods });
  const { listLong: _long, ...files } = hostFiles(commands);
  const system = hostSystem({ kubernetes, commands, pods, mayCreatePods, distribution });
  const access = { ...files, ...system };
  const nodeHost =
    talos === undefined
      ? hostAlone(kubernetes, access, distribution)
      : talosNodeHost(talos, access, {
          ...(addresses === undefined ? {} : { addresses }),
          ...(drain === undefined ? {} : { drain }),
        });
  return {
    nodeHost,
    sweep: () => pods.sweep(),
    close: async () => {
      await pods.close();
      if (hostAccess.isExclusive === true) await pods.sweep();
    },
  };
}

/** Without an API of the machine: what such a system has not is refused by its name. */
function hostAlone(
  kubernetes: KubernetesPort,
  access: HostAlone,
  distribution: Distribution,
): NodeHostPort {
  const refuse = (what: string): Promise<never> => {
    const isTalos = distribution === 'talos';
    const why = isTalos ? 'this takes the Talos API' : `${distribution} has no API for it`;
    const hint = isTalos ? 'give --talosconfig' : 'do it on the node, as its system does it';
    return Promise.reject(new RegaugeError('refused', `cannot ${what}: ${why}`, { hint }));
  };
  return {
    ...access,
    machineConfig: (node) => refuse(`read the machine config of ${node}`),
    patchMachineConfig: (node) => refuse(`patch the machine config of ${node}`),
    upgrade: (node) => refuse(`upgrade the system of ${node}`),
    etcdMembers: () =>
      distribution === 'talos' ? refuse('list the etcd members') : etcdMembersByObjects(kubernetes),
  };
}
