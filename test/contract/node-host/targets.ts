/** The twin as a target of the NodeHost contract: in memory, and over the wire through the real adapters. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { present } from '../../../src/base/assert.ts';
import { openNodeHost } from '../../../src/drivers/host-access/open-node-host.ts';
import { openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import { readTalosContext } from '../../../src/drivers/talos/talosconfig.ts';
import { TalosChannel } from '../../../src/drivers/talos/talos-channel.ts';
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import type { KubernetesPort, WatchOptions } from '../../../src/ports/index.ts';
import { networkOf } from '../../../src/twin/network/kernel-network.ts';
import { createTwinPorts } from '../../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../../src/twin/scenario/build-world.ts';
import { expandCluster } from '../../../src/twin/scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../../src/twin/scenario/read-spec.ts';
import { serveTwin } from '../../../src/twin/wire/serve-twin.ts';
import { serveTalos } from '../../../src/twin/wire/talos/serve-talos.ts';
import type { NodeHostTarget, TargetKind } from './suite.ts';

const NEXT = { version: '1.13.9', image: 'factory.talos.dev/metal-installer/x:v1.13.9' };
const LOOK_MS = 1_000;
const WAIT_MAX_MS = 3_600_000;
const BACK_OFF_MS = 1;
/** Virtual seconds per second: none to speak of. */
const STANDSTILL = 1e-6;
const TURNS_PER_LOOK = 50;
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

/** Both APIs of one served twin through both adapters: a pod on the node does what Talos does not. */
export const TWIN_OVER_THE_WIRE: TargetKind = {
  name: 'the twin over the wire',
  make: async (version) => {
    const { world, channel, close } = await servedChannel(version);
    const { port, shut } = await servedKubernetes(world);
    const opened = openNodeHost({
      kubernetes: port,
      talos: channel,
      distribution: 'talos',
      hostAccess: { run: 'contract', mayCreatePods: true },
    });
    return {
      ...common(world),
      port: opened.nodeHost,
      run: (work) => work(),
      close: async () => {
        await opened.close();
        await shut();
        await close();
      },
    };
  },
};

/**
 * The Kubernetes API of the world over HTTPS. Its time stands still between requests and passes while
 * somebody watches: whoever waits for a pod sees it start.
 */
async function servedKubernetes(world: TwinWorld): Promise<{
  readonly port: KubernetesPort;
  shut(): Promise<void>;
}> {
  const failures: unknown[] = [];
  const twin = await serveTwin({
    world,
    clusterName: 'contract',
    speed: STANDSTILL,
    host: '127.0.0.1',
    port: 0,
    now: Date.now(),
    onFailure: (error) => failures.push(error),
  });
  const directory = mkdtempSync(join(tmpdir(), 'regauge-node-host-'));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, twin.kubeconfig, { mode: 0o600 });
  const port = await openKubernetes({ kubeconfig, environment: {}, requestsPerSecond: 1_000 });
  return {
    port: { ...port, watch: passing(world, port.watch) },
    shut: async () => {
      await port.close();
      await twin.close();
      rmSync(directory, { recursive: true, force: true });
      if (failures.length > 0) throw failures[0];
    },
  };
}

function passing(world: TwinWorld, watch: KubernetesPort['watch']): KubernetesPort['watch'] {
  return async function* passingWatch<T extends KubeObject>(
    apiVersion: string,
    kind: string,
    options: WatchOptions,
  ) {
    const events = watch<T>(apiVersion, kind, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const waiting = { ends: false };
        const next = events.next().finally(() => {
          waiting.ends = true;
        });
        // A turn of the loop for what is on the socket, and time for what it waits for.
        for (let turn = 1; !waiting.ends; turn += 1) {
          await setImmediate();
          if (turn % TURNS_PER_LOOK === 0) world.kernel.runUntil(world.kernel.now() + LOOK_MS);
        }
        const event = await next;
        if (event.done === true) return;
        yield event.value;
      }
    } finally {
      await events.return?.(undefined);
    }
  };
}

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
  | 'controlPlane'
  | 'worker'
  | 'next'
  | 'untilBooted'
  | 'untilDown'
  | 'systemOf'
  | 'modeOf'
  | 'pods'
  | 'hasKubeProxyRules'
  | 'removeKubeProxy'
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
    modeOf: (node, path) => world.nodes.get(node)?.files.stat?.(path)?.mode,
    pods: (settled = false) => {
      if (settled) {
        kernel.runUntil(kernel.now() + LOOK_MS);
        until(() =>
          store
            .list('Pod', 'a')
            .every(({ status }) => status.containerStatuses?.[0]?.ready === true),
        );
      }
      return store
        .list('Pod', 'a')
        .map(({ metadata: { name, uid = '' }, spec: { nodeName = '' } }) => {
          const sandbox = world.nodes.get(nodeName)?.runtime.sandboxOf(uid)?.id;
          return { name, uid, node: nodeName, sandbox };
        });
    },
    hasKubeProxyRules: (node) => {
      const found = world.nodes.get(node);
      return found !== undefined && networkOf(found).kubeProxy !== undefined;
    },
    removeKubeProxy: () => {
      store.delete('DaemonSet', 'kube-system', 'kube-proxy');
      const isLeft = () =>
        store
          .list('Pod', 'kube-system')
          .some(({ metadata }) => metadata.name.startsWith('kube-proxy'));
      until(() => !isLeft());
    },
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
