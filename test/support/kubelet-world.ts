/**
 * Nodes with a real kubelet, a real containerd and real node files, and an API server in front of a
 * real store; the network between them is a switch. For tests of kubelet, controllers and API server.
 */
import { type Constants, constantsWith } from '../../src/twin/constants.ts';
import type { Container, NodeObject, PodObject, PodSpec } from '../../src/model/kubernetes.ts';
import { createApiServer } from '../../src/twin/api/create-api-server.ts';
import { createKubelet } from '../../src/twin/kubelet/create-kubelet.ts';
import { Kernel } from '../../src/twin/kernel/kernel.ts';
import { createNodeNetwork } from '../../src/twin/network/kernel-network.ts';
import { NodeFileSystem } from '../../src/twin/node/node-file-system.ts';
import { pluginBinary } from '../../src/twin/node/plugin-binary.ts';
import { createRuntime } from '../../src/twin/runtime/create-runtime.ts';
import { ObjectStore } from '../../src/twin/store/object-store.ts';
import type {
  ApiServer,
  Destination,
  Fabric,
  NetworkEnd,
  PathVerdict,
  Program,
  TwinNode,
  World,
} from '../../src/twin/world.ts';

export const CONF_DIR = '/etc/cni/net.d';
export const SUBNET_ENV = '/run/flannel/subnet.env';

export const FLANNEL_CONF = JSON.stringify({
  name: 'cbr0',
  cniVersion: '1.0.0',
  plugins: [
    { type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

export const CILIUM_CONF = JSON.stringify({
  cniVersion: '0.3.1',
  name: 'cilium',
  plugins: [{ type: 'cilium-cni', 'enable-debug': false }],
});

export interface NodeOptions {
  readonly name: string;
  readonly role?: 'control-plane' | 'worker';
  readonly files?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly off?: boolean;
}

export interface KubeletWorld extends World {
  readonly nodes: Map<string, TwinNode>;
  /** What the fabric answers; everything is reached unless this says otherwise. */
  readonly paths: {
    verdict: (from: NetworkEnd, to: Destination) => PathVerdict;
    changed(node: string): void;
  };
  readonly machines: Map<string, { up: boolean; bootId: string }>;
  run(seconds: number): void;
  node(name: string): TwinNode;
  /** The machine goes down hard, or comes back, with all that hangs on it. */
  powerOff(node: string): void;
  powerOn(node: string): void;
}

export interface WorldOptions {
  readonly nodes: readonly NodeOptions[];
  readonly seed?: number;
  readonly constants?: Partial<Constants>;
  readonly programFor?: (pod: PodObject, container: Container) => Program;
  readonly distributionVersion?: string;
  readonly kubernetes?: string;
}

export const REACHED: PathVerdict = { ok: true, sourceSeen: null, message: '', because: [] };

/** A container that is ready a moment after it starts, as most are. */
export const plainProgram: Program = (host) => {
  if (host.init) host.world.kernel.after(500, () => host.exit(0));
  host.setReady(true);
  return { stop: () => undefined };
};

export function kubeletWorld(options: WorldOptions): KubeletWorld {
  const kernel = new Kernel(options.seed ?? 1);
  const store = new ObjectStore(kernel);
  const constants = constantsWith(options.constants);
  const nodes = new Map<string, TwinNode>();
  const machines: KubeletWorld['machines'] = new Map();
  const listeners: Parameters<Fabric['onChange']>[0][] = [];
  const paths: KubeletWorld['paths'] = {
    verdict: () => REACHED,
    changed: (node) => listeners.forEach((listener) => listener(node, undefined, 'all')),
  };
  const fabric: Fabric = {
    reach: (from, to) => paths.verdict(from, to),
    onChange: (listener) => listeners.push(listener),
  };
  const late: { api?: ApiServer } = {};
  const world: KubeletWorld = {
    kernel,
    store,
    constants,
    versions: {
      kubernetes: options.kubernetes ?? '1.33.13',
      distribution: 'talos',
      distributionVersion: options.distributionVersion ?? '1.10.2',
    },
    nodes,
    fabric,
    get api() {
      if (late.api === undefined) throw new Error('no API server yet');
      return late.api;
    },
    paths,
    machines,
    run: (seconds) => kernel.runUntil(kernel.now() + seconds * 1000),
    node: (name) => {
      const found = nodes.get(name);
      if (found === undefined) throw new Error(`no node ${name}`);
      return found;
    },
    powerOff: (name) => powerOff(world, name),
    powerOn: (name) => powerOn(world, name),
  };
  late.api = createApiServer(world);
  options.nodes.forEach((node, index) => addNode(world, node, index, options));
  return world;
}

function powerOff(world: KubeletWorld, name: string): void {
  const node = world.node(name);
  const machine = world.machines.get(name);
  if (machine !== undefined) machine.up = false;
  node.kubelet.powerLost();
  node.runtime.powerLost();
  node.network.powerLost();
  node.files.lose('reboot');
}

function powerOn(world: KubeletWorld, name: string): void {
  const node = world.node(name);
  const machine = world.machines.get(name);
  if (machine !== undefined) {
    machine.up = true;
    machine.bootId = `${machine.bootId}+`;
  }
  node.runtime.powerOn();
  node.kubelet.powerOn();
}

function addNode(
  world: KubeletWorld,
  options: NodeOptions,
  index: number,
  all: WorldOptions,
): void {
  const { name, role = 'worker' } = options;
  const address = `10.99.0.${index + 1}`;
  const { kernel, constants, store } = world;
  const files = new NodeFileSystem({
    kernel,
    node: name,
    distribution: 'talos',
    version: '1.10.2',
    flannelPlugin: '1.6.2-flannel1',
    cniPlugins: '1.6.2',
  });
  for (const plugin of ['flannel', 'portmap', 'bridge', 'host-local', 'loopback', 'firewall']) {
    files.write(`/opt/cni/bin/${plugin}`, pluginBinary(plugin, '1.6.2'), { mode: 0o755 });
  }
  files.write(SUBNET_ENV, subnetEnv(index));
  for (const [path, content] of Object.entries(options.files ?? {})) files.write(path, content);
  const network = createNodeNetwork(kernel, name);
  const sockets: TwinNode['sockets'] = new Map();
  const runtime = createRuntime({
    kind: 'containerd',
    version: '2.0.5',
    node: name,
    kernel,
    constants,
    files,
    sockets,
    network,
    confDirectory: CONF_DIR,
    binDirectories: ['/opt/cni/bin'],
  });
  const machine = { up: options.off !== true, bootId: `boot-${name}` };
  world.machines.set(name, machine);
  store.create(nodeObject(options, address));
  world.nodes.set(name, {
    name,
    address,
    role,
    files,
    runtime,
    kubelet: createKubelet({
      world,
      nodeName: name,
      programFor: all.programFor ?? (() => plainProgram),
      images: ['pause', 'registry.local/pause:3.10'],
      off: options.off === true,
    }),
    network,
    machine: {
      get up() {
        return machine.up;
      },
      get bootId() {
        return machine.bootId;
      },
      config: () => '',
      patchConfig: () => ({ ok: true }),
      reboot: () => undefined,
      upgrade: () => undefined,
      restartService: () => ({ ok: true }),
    },
    sockets,
  });
}

function subnetEnv(index: number): string {
  return [
    'FLANNEL_NETWORK=10.244.0.0/16',
    `FLANNEL_SUBNET=10.244.${index + 1}.1/24`,
    'FLANNEL_MTU=1450',
    'FLANNEL_IPMASQ=true',
    '',
  ].join('\n');
}

function nodeObject({ name, role, labels = {} }: NodeOptions, address: string): NodeObject {
  const control = role === 'control-plane' ? { 'node-role.kubernetes.io/control-plane': '' } : {};
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...control, ...labels } },
    spec: {},
    status: {
      addresses: [{ type: 'InternalIP', address }],
      allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
        },
      ],
      nodeInfo: { bootID: `boot-${name}` },
    },
  };
}

/** Creates a pod with one container `c`, bound to the node if one is given. */
export function podOn(
  world: World,
  name: string,
  node: string | undefined,
  more: Partial<PodSpec> & { readonly labels?: Readonly<Record<string, string>> } = {},
): PodObject {
  const { labels, ...spec } = more;
  return world.store.create<PodObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...(labels === undefined ? {} : { labels }) },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      containers: [{ name: 'c', image: 'registry.local/pause:3.10' }],
      ...spec,
    },
    status: { phase: 'Pending' },
  });
}
