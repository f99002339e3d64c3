/** The twin as a target of the NodeHost contract: in memory, and over the wire through the Talos adapter. */
import { present } from '../../../src/base/assert.ts';
import { readTalosContext } from '../../../src/drivers/talos/talosconfig.ts';
import { type HostAccess, talosNodeHost } from '../../../src/drivers/talos/node-host.ts';
import { TalosChannel } from '../../../src/drivers/talos/talos-channel.ts';
import type { NodeHostPort } from '../../../src/ports/node-host.ts';
import { createTwinPorts } from '../../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../../src/twin/scenario/build-world.ts';
import { expandCluster } from '../../../src/twin/scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../../src/twin/scenario/read-spec.ts';
import { serveTalos } from '../../../src/twin/wire/talos/serve-talos.ts';
import type { NodeHostTarget, TargetKind } from './suite.ts';

const NEXT = { version: '1.13.9', image: 'factory.talos.dev/metal-installer/x:v1.13.9' };
const LOOK_MS = 1_000;
const WAIT_MAX_MS = 3_600_000;
const BACK_OFF_MS = 1;
/** Within the virtual second that one request takes over the wire. */
const INSTALLS_AT_ONCE = { upgradeInstallMs: 500 };

function talosWorld(version: string): TwinWorld {
  const spec = clusterSpecOf({
    kind: 'ClusterSpec',
    name: 'contract',
    versions: { talos: version, kubernetes: '1.33.0' },
    network: { endpoint: 'https://10.0.0.9:6443' },
    machine: {},
    nodes: { prefix: 't', controlPlanes: 3, workers: 2, firstAddress: '10.0.0.10' },
    workloads: [{ kind: 'Deployment', namespace: 'a', name: 'web', image: 'web:1', replicas: 2 }],
  });
  return buildWorld(expandCluster(spec), { seed: 1, constants: INSTALLS_AT_ONCE }).world;
}

export const TWIN_IN_MEMORY: TargetKind = {
  name: 'the twin in memory',
  make: async (version) => {
    const world = talosWorld(version);
    return {
      ...common(world),
      port: createTwinPorts(world).nodeHost,
      run: (work) => world.kernel.drive(work),
      close: async () => undefined,
    };
  },
};

export const TWIN_OVER_THE_WIRE: TargetKind = {
  name: 'the twin over the wire',
  make: async (version) => {
    const { world, channel, close } = await servedChannel(version);
    const hostAccess = drivenAccess(world, createTwinPorts(world).nodeHost);
    return {
      ...common(world),
      port: talosNodeHost(channel, hostAccess),
      run: (work) => work(),
      close,
    };
  },
};

/** The adapter at a served twin, in which each request takes a second of virtual time. */
export async function servedChannel(version: string): Promise<{
  readonly world: TwinWorld;
  readonly channel: TalosChannel;
  close(): Promise<void>;
}> {
  const world = talosWorld(version);
  const { kernel } = world;
  const time = {
    catchUp: () => undefined,
    schedule: () => kernel.runUntil(kernel.now() + LOOK_MS),
  };
  const served = await serveTalos({ world, time, now: Date.now(), port: 0 });
  const context = readTalosContext({ path: 'talosconfig', text: served.talosconfig });
  const channel = new TalosChannel({ context, backOffMs: BACK_OFF_MS });
  return {
    world,
    channel,
    close: async () => {
      channel.close();
      await served.close();
    },
  };
}

function common(
  world: TwinWorld,
): Pick<
  NodeHostTarget,
  'controlPlane' | 'worker' | 'next' | 'untilBooted' | 'untilDown' | 'systemOf'
> {
  const { kernel, store } = world;
  const nodes = [...world.nodes.values()];
  const isUp = (node: string): boolean => world.nodes.get(node)?.machine.up === true;
  const bootOf = (node: string): number => boots.get(node) ?? 0;
  const boots = new Map<string, number>();
  const until = (done: () => boolean): void => {
    const end = kernel.now() + WAIT_MAX_MS;
    while (!done() && kernel.now() < end) kernel.runUntil(kernel.now() + LOOK_MS);
  };
  const infoOf = (node: string) => store.get('Node', undefined, node)?.status.nodeInfo;
  for (const { name } of nodes) boots.set(name, 0);
  return {
    controlPlane: present(
      nodes.find(({ role }) => role === 'control-plane'),
      'one',
    ).name,
    worker: present(
      nodes.find(({ role }) => role === 'worker'),
      'one',
    ).name,
    next: NEXT,
    untilDown: async (node) => until(() => !isUp(node)),
    untilBooted: async (node) => {
      const count = bootOf(node);
      until(() => bootCount(world, node) > count && isUp(node));
      boots.set(node, bootCount(world, node));
    },
    systemOf: (node) => ({
      bootId: infoOf(node)?.bootID ?? '',
      image: infoOf(node)?.osImage ?? '',
    }),
  };
}

function bootCount({ kernel }: TwinWorld, node: string): number {
  return kernel.occurrences.filter(
    (each) => each.node === node && /^talos\.(rebooted|os-upgraded)$/.test(each.kind),
  ).length;
}

/** Host access of the served twin: the same twin in memory, its time driven by each call. */
function drivenAccess({ kernel }: TwinWorld, port: NodeHostPort): HostAccess {
  return {
    write: (...given) => kernel.drive(() => port.write(...given)),
    remove: (...given) => kernel.drive(() => port.remove(...given)),
    rename: (...given) => kernel.drive(() => port.rename(...given)),
    removeLink: (...given) => kernel.drive(() => port.removeLink(...given)),
    cleanKubeProxyRules: (...given) => kernel.drive(() => port.cleanKubeProxyRules(...given)),
    restartSandbox: (...given) => kernel.drive(() => port.restartSandbox(...given)),
  };
}
