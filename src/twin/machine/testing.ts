/** A world of small fakes for tests of machines and ports: real kernel and store, nodes that note what is done to them. */
import { constantsWith } from '../constants.ts';
import { Kernel } from '../kernel/kernel.ts';
import { ObjectStore } from '../store/object-store.ts';
import type {
  ApiServer,
  Fabric,
  Machine,
  NodeFiles,
  TwinNode,
  World,
  WorldVersions,
} from '../world.ts';

export interface FakeWorld extends World {
  readonly nodes: Map<string, TwinNode>;
  /** What was done to the nodes, in order: `talos-cp-01 stop web`. */
  readonly log: string[];
  apiHealthy: boolean;
}

const REACHED = { ok: true, sourceSeen: null, message: '', because: [] } as const;

export function fakeWorld(versions: Partial<WorldVersions> = {}): FakeWorld {
  const kernel = new Kernel(1);
  const store = new ObjectStore(kernel);
  const fabric: Fabric = { reach: () => REACHED, onChange: () => undefined };
  const world: FakeWorld = {
    kernel,
    store,
    constants: constantsWith(),
    versions: {
      kubernetes: '1.33.0',
      distribution: 'talos',
      distributionVersion: '1.10.2',
      ...versions,
    },
    nodes: new Map(),
    fabric,
    log: [],
    apiHealthy: true,
    get api(): ApiServer {
      return {
        check: () => ({ ok: true }),
        healthy: () => world.apiHealthy,
        runsOn: ({ machine }) => machine.up,
        unauthorizedCount: () => 0,
        authenticationFailures: () => ({ server: '1', count: 0, uptimeMs: 0 }),
        refuseStranger: () => undefined,
        admit: () => ({ ok: true }),
      };
    },
  };
  return world;
}

/** Adds a node with its object; sandboxes are those of its running pods. */
export function fakeNode(world: FakeWorld, name: string, machine: () => Machine): TwinNode {
  const note = (what: string): void => {
    world.log.push(`${name} ${what}`);
  };
  const node: TwinNode = {
    name,
    address: '10.0.1.61',
    role: name.includes('cp') ? 'control-plane' : 'worker',
    files: fakeFiles(note),
    runtime: {
      name: 'containerd',
      version: '2.0.5',
      networkStatus: () => ({ ready: true, reason: '', message: '', because: [] }),
      runSandbox: () => undefined,
      stopSandbox: (id, done) => {
        note(`stop ${id}`);
        world.kernel.after(1, () => done({ ok: true }));
      },
      removeSandbox: () => undefined,
      sandboxOf: (uid) => ({ id: uid, ip: undefined }),
      restart: () => note('runtime restart'),
      powerLost: () => note('runtime down'),
      powerOn: () => note('runtime up'),
    },
    kubelet: {
      adopt: () => undefined,
      restart: () => note('kubelet restart'),
      powerLost: () => note('kubelet down'),
      powerOn: () => note('kubelet up'),
      running: true,
      restartSandbox: (uid) => note(`sandbox ${uid}`),
      process: () => undefined,
      tokenOf: () => undefined,
    },
    network: {
      attach: () => undefined,
      detach: () => undefined,
      attachmentOf: () => undefined,
      links: () => ['lo', 'flannel.1'],
      removeLink: (link) => note(`unlink ${link}`),
      powerLost: () => note('network down'),
      epoch: 0,
    },
    get machine() {
      return machine();
    },
    sockets: new Map(),
  };
  world.nodes.set(name, node);
  if (world.store.get('Node', undefined, name) === undefined) {
    const object = {
      apiVersion: 'v1',
      kind: 'Node' as const,
      metadata: { name },
      spec: {},
      status: {},
    };
    world.store.create(object);
  }
  return node;
}

function fakeFiles(note: (what: string) => void): NodeFiles {
  const files = new Map<string, string>();
  return {
    read: (path) => files.get(path),
    exists: (path) => files.has(path),
    list: () => [...files.keys()],
    write: (path, content) => void files.set(path, content),
    remove: (path) => void files.delete(path),
    rename: (from, to) => {
      files.set(to, files.get(from) ?? '');
      files.delete(from);
    },
    causesOf: () => [],
    survives: () => true,
    lose: (event) => note(`lose ${event}`),
  };
}
