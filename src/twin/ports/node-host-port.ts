/**
 * The host of a node on the twin: its machine's API, and its files, links and sandboxes as host
 * access reaches them. A machine that is down answers nobody.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { EtcdMember, NodeHostPort } from '../../ports/node-host.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { TwinNode, World } from '../world.ts';

export interface NodeHostExtras {
  /** `kube-proxy --cleanup` on the node. */
  cleanKubeProxyRules(node: TwinNode): void;
  /** `talosctl upgrade-k8s`. */
  upgradeKubernetes(to: string | undefined): void;
}

export function createNodeHostPort(world: World, extras: NodeHostExtras): NodeHostPort {
  const on = <T>(name: string, action: (node: TwinNode) => T): Promise<T> =>
    world.kernel.answer(world.constants.apiCallMs, () => action(reachable(world, name)));
  const changes = new HostChanges(world.kernel);
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
    rename: (name, from, to) =>
      on(name, ({ files }) =>
        changes.file(name, 'file-renamed', from, () => files.rename(from, to)),
      ),
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
    restartSandbox: (name, namespace, pod) =>
      on(name, (node) => restartSandbox(world, node, namespace, pod)),
    etcdMembers: () => world.kernel.answer(world.constants.apiCallMs, () => etcdMembers(world)),
    upgradeKubernetes: (to) =>
      world.kernel.answer(world.constants.apiCallMs, () => extras.upgradeKubernetes(to)),
  };
}

type FileChange = 'file-written' | 'file-removed' | 'file-renamed';

/** What somebody did on a node is where chains of causes begin; told once per directory on end. */
class HostChanges {
  private readonly kernel: Kernel;
  private readonly last = new Map<string, { readonly key: string; readonly id: OccurrenceId }>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  file(node: string, what: FileChange, path: string, action: () => void): void {
    const key = `${what} ${path.slice(0, path.lastIndexOf('/'))}`;
    const before = this.last.get(node);
    const id = before?.key === key ? before.id : this.tell(node, what, path);
    this.last.set(node, { key, id });
    this.kernel.because([id], action);
  }

  link(node: string, link: string, action: () => void): void {
    this.kernel.because([this.tell(node, 'link-removed', link)], action);
  }

  private tell(node: string, what: FileChange | 'link-removed', path: string): OccurrenceId {
    const message = `a client changed ${node}: ${what.replace('-', ' ')}, ${path}`;
    return this.kernel.because(this.kernel.causes, () =>
      this.kernel.occur(`client.${what}`, { node, message }),
    );
  }
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

/** Talos runs etcd as a service of the host, so a member is as well as its machine. */
function etcdMembers(world: World): readonly EtcdMember[] {
  const members = [...world.nodes.values()].filter(({ role }) => role === 'control-plane');
  const leader = members.find(({ machine }) => machine.up);
  return members.map((node) => ({
    node: node.name,
    healthy: node.machine.up,
    learner: false,
    leader: node === leader,
  }));
}
