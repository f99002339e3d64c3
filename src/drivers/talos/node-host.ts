/**
 * The host of a Talos node behind the NodeHost port. What the Talos API cannot do (files under
 * /etc/cni, links, sandboxes) goes to the host-access adapter, or is refused plainly where there is none.
 */
import { RegaugeError } from '../../base/errors.ts';
import { LINK_STATUSES } from '../../knowledge/talos-resources.ts';
import type { EtcdMember, NodeHostPort } from '../../ports/node-host.ts';
import { activeConfig, patchConfiguration } from './configuration.ts';
import { etcdMembers, etcdSnapshot, etcdStatus } from './etcd.ts';
import { listDirectory, readFile } from './files.ts';
import { rebootNode, restartTalosService } from './machine-calls.ts';
import { NodeDirectory, type NodeDirectoryOptions } from './node-directory.ts';
import { listResources } from './state.ts';
import type { TalosChannel } from './talos-channel.ts';
import { upgradeNode } from './upgrade.ts';

/** What only something on the node can do. */
export type HostAccess = Pick<
  NodeHostPort,
  | 'write'
  | 'remove'
  | 'removeAll'
  | 'rename'
  | 'removeLink'
  | 'cleanKubeProxyRules'
  | 'leftRules'
  | 'removeLeftRules'
  | 'restartSandbox'
>;

export interface TalosNodeHostOptions extends NodeDirectoryOptions {
  /** From Talos 1.13 on upgrades leave draining to their client. */
  readonly drain?: (node: string) => Promise<void>;
}

export function talosNodeHost(
  channel: TalosChannel,
  hostAccess: HostAccess | undefined,
  options: TalosNodeHostOptions = {},
): NodeHostPort {
  const directory = new NodeDirectory(channel, options);
  const at = async <T>(name: string, act: (node: string) => Promise<T>): Promise<T> =>
    act(await directory.addressOf(name));
  const { drain } = options;
  const access = hostAccess ?? refuseHostAccess();
  return {
    list: (name, path) =>
      at(name, async (node) =>
        (await listDirectory(channel, node, path))?.map((each) => each.name),
      ),
    read: (name, path) => at(name, (node) => readFile(channel, node, path)),
    machineConfig: (name) => at(name, (node) => activeConfig(channel, node)),
    patchMachineConfig: (name, patch, mode) =>
      at(name, async (node) => {
        await patchConfiguration(channel, node, patch, { mode });
      }),
    reboot: (name) => at(name, (node) => rebootNode(channel, node)),
    upgrade: (name, image, { preserve }) =>
      at(name, (node) =>
        upgradeNode(channel, node, image, {
          preserve,
          drain: drain === undefined ? undefined : () => drain(name),
        }),
      ),
    restartService: (name, service) =>
      at(name, (node) => restartTalosService(channel, node, service)),
    links: (name) =>
      at(name, async (node) =>
        (await listResources(channel, node, LINK_STATUSES)).map(({ id }) => id),
      ),
    write: access.write,
    remove: access.remove,
    ...(access.removeAll === undefined ? {} : { removeAll: access.removeAll }),
    rename: access.rename,
    removeLink: access.removeLink,
    cleanKubeProxyRules: access.cleanKubeProxyRules,
    leftRules: access.leftRules,
    removeLeftRules: access.removeLeftRules,
    restartSandbox: access.restartSandbox,
    etcdMembers: () => membersWithHealth(channel, directory),
    etcdSnapshot: async (sink) => {
      const members = await membersWithHealth(channel, directory);
      const from = members.find(({ healthy, leader }) => healthy && !leader) ?? members[0];
      if (from === undefined) throw new RegaugeError('refused', 'etcd tells of no members');
      return etcdSnapshot(channel, await directory.addressOf(from.node), sink);
    },
  };
}

/** Members as one control plane lists them, each asked for its own state. */
async function membersWithHealth(
  channel: TalosChannel,
  directory: NodeDirectory,
): Promise<readonly EtcdMember[]> {
  const members = await etcdMembers(channel, undefined);
  return Promise.all(
    members.map(async ({ id, hostname, learner }) => {
      const node = hostname.toLowerCase();
      try {
        const status = await etcdStatus(channel, await directory.addressOf(node));
        const healthy = status.leader !== undefined && status.errors.length === 0;
        return { node, healthy, learner, leader: status.leader === id };
      } catch (error) {
        if (error instanceof RegaugeError && isSilence(error)) {
          return { node, healthy: false, learner, leader: false };
        }
        throw error;
      }
    }),
  );
}

/** A member that does not answer is unhealthy; one we may not ask is not known to be. */
function isSilence({ code }: RegaugeError): boolean {
  return code === 'unreachable' || code === 'timeout' || code === 'not-found';
}

function refuse(node: string, what: string): Promise<never> {
  const hint =
    'this takes host access: a pod on the node, which regauge starts and removes when it is allowed to';
  return Promise.reject(
    new RegaugeError('refused', `the Talos API cannot ${what} of ${node}`, { hint }),
  );
}

function refuseHostAccess(): HostAccess {
  return {
    write: (node, path) => refuse(node, `write ${path}`),
    remove: (node, path) => refuse(node, `remove ${path}`),
    rename: (node, from) => refuse(node, `rename ${from}`),
    removeLink: (node, link) => refuse(node, `remove link ${link}`),
    cleanKubeProxyRules: (node) => refuse(node, 'clean up after the kube-proxy'),
    leftRules: (node) => refuse(node, 'list the packet filters'),
    removeLeftRules: (node) => refuse(node, 'change the packet filters'),
    restartSandbox: (node, namespace, pod) =>
      refuse(node, `restart the sandbox of ${namespace}/${pod}`),
  };
}
