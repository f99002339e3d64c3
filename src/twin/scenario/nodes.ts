/** The nodes of a world, each with the parts that live and die with its machine. */
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import { isControlPlane } from '../../model/node-object.ts';
import { createKubelet } from '../kubelet/create-kubelet.ts';
import type { ProgramFor } from '../kubelet/kubelet-context.ts';
import type { Evict } from '../machine/drain-before-upgrade.ts';
import { K3sService } from '../machine/k3s-service.ts';
import type { MachineHost } from '../machine/power.ts';
import { Rke2Service } from '../machine/rke2-service.ts';
import { createSystemdMachine } from '../machine/systemd-machine.ts';
import { createTalosMachine, type TalosMachine } from '../machine/talos-machine.ts';
import { k3sArguments, k3sNetwork, k3sWords } from '../../knowledge/k3s.ts';
import { COPIED_FLANNEL_PLUGIN, talosRelease } from '../../knowledge/talos-versions.ts';
import { createNodeNetwork } from '../network/kernel-network.ts';
import { cniPathsOf } from '../node/cni-paths.ts';
import { bundlesPlugins } from '../node/mount-tables.ts';
import { NodeFileSystem } from '../node/node-file-system.ts';
import { askFrom } from '../programs/canal/plugin-account.ts';
import { createRuntime } from '../runtime/create-runtime.ts';
import type { NodeRuntime } from '../runtime/node-runtime.ts';
import type { AgentSocket, Machine, TwinNode, World } from '../world.ts';
import type { NodeFileSeed } from './node-files.ts';
import { createTalosCluster, type TalosCluster } from './talos-cluster.ts';
import { addressOf, isOff, runtimeOf, talosVersionOf } from './versions-of.ts';

export interface CreatedNode {
  readonly node: TwinNode;
  readonly runtime: NodeRuntime;
  readonly seed: NodeFileSeed;
}

export interface NodesOptions {
  readonly world: World;
  /** Filled here; it is the world's own map. */
  readonly nodes: Map<string, TwinNode>;
  readonly evict: Evict;
  /** Which software a container is. */
  readonly programFor: ProgramFor;
  /** Machine configs by node, on Talos. */
  readonly configs: ReadonlyMap<string, string>;
}

export interface CreatedNodes {
  readonly created: ReadonlyMap<string, CreatedNode>;
  readonly talos: TalosCluster;
  /** Services of the system that hold parts of the cluster, servers first; what runs in them is not adopted yet. */
  readonly services: readonly K3sService[];
  /** A machine more, switched off; its kubelet registers it when it boots. */
  add(machine: NewMachine): CreatedNode;
}

/** A machine that no Node was read of. */
export interface NewMachine {
  /** What its kubelet will tell of it. */
  readonly object: NodeObject;
  /** On Talos. */
  readonly config: string;
  /** Of RKE2's kube-proxy, which is a static pod there. */
  readonly proxy?: PodObject;
}

export function createNodes(options: NodesOptions, objects: readonly NodeObject[]): CreatedNodes {
  const machines = new Map<string, TalosMachine>();
  const talos = createTalosCluster(options.world, machines);
  const created = new Map<string, CreatedNode>();
  const servers: K3sService[] = [];
  const agents: K3sService[] = [];
  const rke2Servers: Rke2Service[] = [];
  const parts = { machines, talos, servers, agents, rke2Servers };
  for (const object of objects) {
    const made = createNode(options, object, parts);
    created.set(object.metadata.name, made);
    options.nodes.set(object.metadata.name, made.node);
  }
  return {
    created,
    talos,
    services: [...servers, ...agents],
    add: (machine) => {
      const { name } = machine.object.metadata;
      const configs = new Map([[name, machine.config]]);
      const made = createNode({ ...options, configs }, machine.object, { ...parts, machine });
      options.nodes.set(name, made.node);
      return made;
    },
  };
}

interface SharedParts {
  readonly machines: Map<string, TalosMachine>;
  readonly talos: TalosCluster;
  readonly servers: K3sService[];
  readonly agents: K3sService[];
  readonly rke2Servers: Rke2Service[];
  /** Where it is new: off, and with nothing on its disk but what its image brings. */
  readonly machine?: NewMachine;
}

function createNode(options: NodesOptions, object: NodeObject, parts: SharedParts): CreatedNode {
  const { world } = options;
  const { name } = object.metadata;
  const { distribution } = world.versions;
  const isNew = parts.machine !== undefined;
  const system = systemOf(world, object);
  const files = new NodeFileSystem({
    kernel: world.kernel,
    constants: world.constants,
    node: name,
    ...imageFor(world, system.version),
  });
  const paths = cniPathsOf(distribution, hasBundledFlannel(world), world.versions.kubernetes);
  const network = createNodeNetwork(world.kernel, name);
  const sockets = new Map<string, AgentSocket>();
  const runtime = createRuntime({
    kernel: world.kernel,
    constants: world.constants,
    node: name,
    ...system.runtime,
    files,
    network,
    sockets,
    apiServer: askFrom(world, () => options.nodes.get(name)),
    ...paths,
  });
  const machine = machineFor(options, object, { ...parts, files, runtime });
  const node: TwinNode = {
    name,
    address: addressOf(object),
    role: isControlPlane(object) ? 'control-plane' : 'worker',
    files,
    runtime,
    kubelet: createKubelet({
      world,
      nodeName: name,
      programFor: options.programFor,
      off: isNew || isOff(object),
      ...(isNew ? { registersAs: object } : {}),
    }),
    network,
    machine,
    sockets,
  };
  if (!machine.up) runtime.powerLost();
  const seed: NodeFileSeed = {
    node: name,
    address: node.address,
    files,
    places: paths,
    bundled: bundlesPlugins(distribution, system.version) && (isNew || !bornWithPlugins(world)),
    flannelPlugin: COPIED_FLANNEL_PLUGIN,
  };
  return { node, runtime, seed };
}

function systemOf(
  world: World,
  object: NodeObject,
): { version: string; runtime: { kind: 'containerd' | 'cri-o'; version: string } } {
  const version = talosVersionOf(object) ?? world.versions.distributionVersion;
  const fallback = { kind: 'containerd' as const, version: talosRelease(version).containerd };
  return { version, runtime: runtimeOf(object) ?? fallback };
}

function imageFor(
  world: World,
  version: string,
): { distribution: World['versions']['distribution']; version: string; flannelPlugin?: string } {
  const { flannelPlugin } = talosRelease(version);
  return {
    distribution: world.versions.distribution,
    version,
    ...(flannelPlugin === undefined ? {} : { flannelPlugin }),
  };
}

/**
 * A cluster whose Flannel manifest is of Talos 1.7 or older got its plugins copied to /opt, where
 * they lie above those of newer images (knowledge: talos-and-cni-selection.md 4.1, 4.2).
 */
function bornWithPlugins({ store }: World): boolean {
  const flannel = store.get('DaemonSet', 'kube-system', 'kube-flannel');
  const steps = flannel?.spec.template.spec.initContainers ?? [];
  return steps.some(({ image }) => image?.includes('/install-cni:') === true);
}

/** As K3s's servers were started; where they do not say, it is there unless something else is. */
function hasBundledFlannel({ store }: World): boolean {
  for (const node of store.list('Node')) {
    const args = k3sArguments(node);
    if (args?.role === 'server') return k3sNetwork(args).flannelBackend !== 'none';
  }
  return store.get('DaemonSet', 'kube-system', 'cilium') === undefined;
}

function machineFor(
  { world, nodes, evict, configs }: NodesOptions,
  object: NodeObject,
  parts: SharedParts & { readonly files: NodeFileSystem; readonly runtime: NodeRuntime },
): Machine {
  const { name } = object.metadata;
  const host = {
    world,
    isOff: parts.machine !== undefined || isOff(object),
    node: (): TwinNode => {
      const node = nodes.get(name);
      if (node === undefined) throw new Error(`node ${name} is not there yet`);
      return node;
    },
    loseFiles: (event: 'reboot' | 'upgrade', preserve: boolean) =>
      parts.files.lose(event, { preserve }),
  };
  if (world.versions.distribution === 'k3s')
    return createSystemdMachine(host, k3sOn(world, object, host.node, parts));
  if (world.versions.distribution === 'rke2')
    return createSystemdMachine(host, rke2On(host, object, parts));
  if (world.versions.distribution !== 'talos') return createSystemdMachine(host);
  const machine = createTalosMachine({
    ...host,
    config: configs.get(name) ?? '',
    version: talosVersionOf(object) ?? world.versions.distributionVersion,
    evict,
    onConfig: (config, version) => parts.talos.configChanged(name, config, version),
    onVersion: (version) => {
      parts.files.reimage(imageFor(world, version));
      parts.runtime.install(talosRelease(version).containerd);
    },
  });
  parts.machines.set(name, machine);
  return machine;
}

function k3sOn(
  world: World,
  object: NodeObject,
  node: () => TwinNode,
  { servers, agents, runtime }: SharedParts & { readonly runtime: NodeRuntime },
): K3sService {
  const isServer = isControlPlane(object);
  const words = k3sWords(object);
  const service = new K3sService({ world, runtime, node, words, servers }, isServer);
  (isServer ? servers : agents).push(service);
  return service;
}

function rke2On(
  host: MachineHost,
  object: NodeObject,
  { rke2Servers, files, machine }: SharedParts & { readonly files: NodeFileSystem },
): Rke2Service {
  const service = new Rke2Service(host, object, rke2Servers, machine?.proxy);
  if (isControlPlane(object)) rke2Servers.push(service);
  service.adopt(files);
  return service;
}
