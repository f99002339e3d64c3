/**
 * The host of a node on the twin: its machine's API, and its files, links and sandboxes as host
 * access reaches them. A machine that is down answers nobody.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { EtcdMember, NodeHostPort } from '../../ports/node-host.ts';
import { isUp } from '../api/control-plane.ts';
import { disturbancesOf } from '../api/disturbances.ts';
import type { TwinNode, World } from '../world.ts';
import { networkOf } from '../network/kernel-network.ts';
import { hostChangesOf } from './host-changes.ts';
import { leftInFilter, removeFromFilter } from './left-in-filter.ts';

export interface NodeHostExtras {
  /** `kube-proxy --cleanup` on the node. */
  cleanKubeProxyRules(node: TwinNode): void;
  /** `talosctl upgrade-k8s`. */
  upgradeKubernetes(to: string | undefined): void;
}

export function createNodeHostPort(world: World, extras: NodeHostExtras): NodeHostPort {
  const on = <T>(name: string, action: (node: TwinNode) => T): Promise<T> =>
    world.kernel.answer(world.constants.apiCallMs, () => action(reachable(world, name)));
  const changes = hostChangesOf(world.kernel);
  return {
    list: (name, directory) => on(name, ({ files }) => files.list(directory)),
    read: (name, path) => on(name, ({ files }) => files.read(path)),
    write: (name, path, content, mode) =>
      on(name, ({ files }) => {
        const options = mode === undefined ? {} : { mode };
        changes.file(name, 'file-written', path, () => files.write(path, content, options));
      }),
    remove: (name, path) =>
      on(name, ({ files }) => changes.file(name, 'file-removed', path, () => files.remove(path))),
    removeAll: (name, paths) =>
      on(name, ({ files }) => {
        for (const path of paths)
          changes.file(name, 'file-removed', path, () => files.remove(path));
      }),
    rename: (name, from, to) =>
      on(name, ({ files }) => {
        // Who did it before finds it done.
        if (!files.exists(from) && files.exists(to)) return;
        if (!files.exists(from)) {
          throw new RegaugeError('not-found', `cannot rename ${from}: there is no such file`);
        }
        changes.file(name, 'file-renamed', from, () => files.rename(from, to));
      }),
    machineConfig: (name) => on(name, ({ machine }) => machine.config()),
    patchMachineConfig: (name, patch, mode) =>
      on(name, ({ machine }) => accept(machine.patchConfig(patch, mode))),
    reboot: (name) => on(name, ({ machine }) => machine.reboot()),
    upgrade: (name, image, options) => on(name, ({ machine }) => machine.upgrade(image, options)),
    restartService: (name, service) =>
      on(name, ({ machine }) => accept(machine.restartService(service))),
    links: (name) => on(name, ({ network }) => network.links()),
    removeLink: (name, link) =>
      on(name, ({ network }) => changes.link(name, link, () => network.removeLink(link))),
    cleanKubeProxyRules: (name) => on(name, (node) => extras.cleanKubeProxyRules(node)),
    leftRules: (name, owners) =>
      on(name, (node) => leftInFilter(networkOf(node).filter, owners).words),
    removeLeftRules: (name, what) =>
      on(name, (node) =>
        changes.rules(name, what.owners.join(', '), () =>
          removeFromFilter(networkOf(node).filter, what),
        ),
      ),
    restartSandbox: (name, namespace, pod) =>
      on(name, (node) => restartSandbox(world, node, namespace, pod)),
    etcdMembers: () => world.kernel.answer(world.constants.apiCallMs, () => etcdMembers(world)),
    upgradeKubernetes: (to) =>
      world.kernel.answer(world.constants.apiCallMs, () => extras.upgradeKubernetes(to)),
  };
}

function reachable(world: World, name: string): TwinNode {
  const node = world.nodes.get(name);
  if (node === undefined) throw new RegaugeError('not-found', `there is no node ${name}`);
  if (node.machine.up) return node;
  const message = `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${node.address}:50000: i/o timeout"`;
  throw new RegaugeError('unreachable', message);
}

function accept(
  result: { readonly ok: true } | { readonly ok: false; readonly message: string },
): void {
  if (!result.ok) throw new RegaugeError('refused', result.message);
}

function restartSandbox(world: World, node: TwinNode, namespace: string, pod: string): void {
  const uid = world.store.get('Pod', namespace, pod)?.metadata.uid;
  if (uid === undefined) throw new RegaugeError('not-found', `Pod ${namespace}/${pod} not found`);
  node.kubelet.restartSandbox(uid);
}

/** Talos runs etcd as a service of the host, K3s as a part of its own: a member is as well as that. */
function etcdMembers(world: World): readonly EtcdMember[] {
  const members = [...world.nodes.values()].filter(({ role }) => role === 'control-plane');
  const { failedMembers } = disturbancesOf(world.store);
  const serves = (node: TwinNode): boolean => isUp(node) && !failedMembers.has(node.name);
  const leader = members.find(serves);
  return members.map((node) => ({
    node: node.name,
    healthy: serves(node),
    learner: false,
    leader: node === leader,
  }));
}
