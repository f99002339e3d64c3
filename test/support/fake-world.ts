/**
 * A small world for tests of programs, network, prober and observer: real kernel, store, network and
 * programs; files, runtime, kubelet and machine are the least that those talk to.
 */
import { constantsWith } from '../../src/twin/constants.ts';
import { Kernel } from '../../src/twin/kernel/kernel.ts';
import { createFabric } from '../../src/twin/network/fabric.ts';
import { createNodeNetwork, networkOf } from '../../src/twin/network/kernel-network.ts';
import { FLANNEL_PUBLIC_IP, FLANNEL_SUBNET_MANAGER } from '../../src/twin/network/peer-tables.ts';
import { ObjectStore } from '../../src/twin/store/object-store.ts';
import type { Container, OwnerReference, PodObject } from '../../src/model/kubernetes.ts';
import type {
  Attachment,
  NodeFiles,
  Process,
  ProcessHost,
  Program,
  ServiceAccountToken,
  TwinNode,
  World,
} from '../../src/twin/world.ts';

export interface FakeWorld extends World {
  readonly nodes: Map<string, TwinNode>;
  readonly state: { apiHealthy: boolean; unauthorized: boolean };
}

/** The first node is the control plane, unless others are named. */
export function fakeWorld(
  names: readonly string[],
  controlPlanes: readonly string[] = names.slice(0, 1),
): FakeWorld {
  const kernel = new Kernel(1);
  const store = new ObjectStore(kernel);
  const nodes = new Map<string, TwinNode>();
  const state = { apiHealthy: true, unauthorized: false };
  const api: World['api'] = {
    check: () =>
      state.unauthorized
        ? { ok: false, failure: 'unauthorized', message: 'Unauthorized', because: [] }
        : { ok: true },
    healthy: () => state.apiHealthy,
    runsOn: ({ machine }) => machine.up,
    unauthorizedCount: () => 0,
    authenticationFailures: () => ({ server: '1', count: 0, uptimeMs: 0 }),
    refuseStranger: () => undefined,
    admit: () => ({ ok: true }),
  };
  names.forEach((name, index) => {
    nodes.set(name, fakeNode(kernel, name, `10.0.1.${61 + index}`, controlPlanes.includes(name)));
    store.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      spec: { podCIDR: `10.244.${index}.0/24`, podCIDRs: [`10.244.${index}.0/24`] },
      status: {
        addresses: [{ type: 'InternalIP', address: `10.0.1.${61 + index}` }],
        conditions: [],
      },
    });
  });
  const fabric = createFabric({ kernel, store, nodes, api: () => api });
  const versions = {
    kubernetes: '1.33.0',
    distribution: 'talos',
    distributionVersion: '1.10.2',
  } as const;
  return { kernel, store, constants: constantsWith(), versions, nodes, fabric, api, state };
}

function fakeNode(kernel: Kernel, name: string, address: string, controlPlane: boolean): TwinNode {
  const machine = { up: true, text: '' };
  return {
    name,
    address,
    role: controlPlane ? 'control-plane' : 'worker',
    files: fakeFiles(),
    network: createNodeNetwork(kernel, name),
    sockets: new Map(),
    runtime: {
      name: 'containerd',
      version: '2.0.5',
      networkStatus: () => ({ ready: true, reason: '', message: '', because: [] }),
      runSandbox: () => undefined,
      stopSandbox: () => undefined,
      removeSandbox: () => undefined,
      sandboxOf: () => undefined,
      restart: () => undefined,
      powerLost: () => undefined,
      powerOn: () => undefined,
    },
    kubelet: {
      running: true,
      adopt: () => undefined,
      restart: () => undefined,
      powerLost: () => undefined,
      powerOn: () => undefined,
      restartSandbox: () => undefined,
      process: () => undefined,
      tokenOf: (podUid): ServiceAccountToken => ({
        namespace: 'kube-system',
        serviceAccount: 'default',
        serviceAccountUid: 'sa',
        podUid,
        issuedAtMs: 0,
        because: [],
      }),
    },
    machine: {
      get up() {
        return machine.up;
      },
      bootId: 'boot',
      config: () => machine.text,
      patchConfig: (patch) => {
        machine.text = patch;
        return { ok: true };
      },
      reboot: () => {
        machine.up = !machine.up;
      },
      upgrade: () => undefined,
      restartService: () => ({ ok: true }),
    },
  };
}

function fakeFiles(): NodeFiles {
  const files = new Map<string, string>();
  const watchers = new Map<string, Set<(name: string) => void>>();
  const tell = (path: string): void => {
    const cut = path.lastIndexOf('/');
    for (const listener of watchers.get(path.slice(0, cut)) ?? []) listener(path.slice(cut + 1));
  };
  return {
    read: (path) => files.get(path),
    exists: (path) => files.has(path),
    list: (directory) =>
      [...files.keys()]
        .filter((path) => path.slice(0, path.lastIndexOf('/')) === directory)
        .map((path) => path.slice(directory.length + 1)),
    write: (path, content) => {
      files.set(path, content);
      tell(path);
    },
    remove: (path) => {
      files.delete(path);
      tell(path);
    },
    rename: (from, to) => {
      const content = files.get(from);
      files.delete(from);
      if (content !== undefined) files.set(to, content);
      tell(from);
    },
    watch: (directory, listener) => {
      const listeners = watchers.get(directory) ?? new Set();
      watchers.set(directory, listeners);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    causesOf: () => [],
    survives: () => true,
    lose: () => undefined,
  };
}

export function nodeNamed(world: FakeWorld, name: string): TwinNode {
  const node = world.nodes.get(name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

export interface PodOptions {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostNetwork?: boolean;
  readonly dnsPolicy?: string;
  readonly container?: Partial<Container>;
  readonly owner?: OwnerReference;
}

export function createPod(
  world: FakeWorld,
  name: string,
  node: string,
  options: PodOptions = {},
): PodObject {
  return world.store.create<PodObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: options.namespace ?? 'default',
      labels: options.labels ?? {},
      ...(options.owner === undefined ? {} : { ownerReferences: [options.owner] }),
    },
    spec: {
      nodeName: node,
      ...(options.hostNetwork === true ? { hostNetwork: true } : {}),
      ...(options.dnsPolicy === undefined ? {} : { dnsPolicy: options.dnsPolicy }),
      containers: [{ name: 'main', ...options.container }],
    },
    status: { phase: 'Running' },
  });
}

/** Gives the pod an attachment and makes it ready, as plugin and kubelet would. */
export function attachPod(
  world: FakeWorld,
  pod: PodObject,
  network: Attachment['network'],
  ip: string,
): PodObject {
  const node = nodeNamed(world, pod.spec.nodeName ?? '');
  node.network.attach({ podUid: pod.metadata.uid ?? '', ip, network, hostPorts: [] });
  return setReady(world, pod, ip);
}

export function setReady(world: FakeWorld, pod: PodObject, ip: string, ready = true): PodObject {
  const updated = world.store.update(
    'Pod',
    pod.metadata.namespace,
    pod.metadata.name,
    (object) => ({
      ...object,
      status: {
        ...object.status,
        phase: 'Running',
        podIP: ip,
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      },
    }),
  );
  if (updated === undefined) throw new Error('no such pod');
  return updated;
}

export interface Running {
  readonly process: Process;
  readonly pod: PodObject;
  readonly log: {
    exit: { code: number; message: string | undefined } | undefined;
    ready: boolean;
    live: boolean;
    readonly lines: string[];
  };
}

/** Runs a program as a container of the pod; what it says is in `log`. */
export function runProgram(
  world: FakeWorld,
  program: Program,
  pod: PodObject,
  options: { readonly init?: boolean; readonly adopted?: boolean } = {},
): Running {
  const log: Running['log'] = { exit: undefined, ready: false, live: true, lines: [] };
  const container = pod.spec.containers[0] ?? { name: 'main' };
  const host: ProcessHost = {
    world,
    node: nodeNamed(world, pod.spec.nodeName ?? ''),
    pod,
    container,
    init: options.init === true,
    ...(options.adopted === true ? { adopted: true } : {}),
    log: (line) => log.lines.push(line),
    exit: (code, message) => (log.exit = { code, message }),
    setReady: (ready) => (log.ready = ready),
    setLive: (live) => (log.live = live),
  };
  return { process: program(host), pod, log };
}

/** A node as Flannel and kube-proxy leave it: device, rules, and the annotations that peers learn from. */
export function layFlannel(world: FakeWorld, name: string, index: number): void {
  const node = nodeNamed(world, name);
  const network = networkOf(node);
  network.setVxlanLink('flannel.1', { port: 4789, up: true });
  network.setFlannel({
    backend: 'vxlan',
    port: 4789,
    network: '10.244.0.0/16',
    subnet: `10.244.${index}.0/24`,
    masquerade: true,
    enforcesPolicies: false,
    peers: undefined,
  });
  network.setKubeProxy({ mode: 'nftables', rules: undefined });
  world.store.update('Node', undefined, name, (object) => ({
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { [FLANNEL_PUBLIC_IP]: node.address, [FLANNEL_SUBNET_MANAGER]: 'true' },
    },
  }));
}
