/** A real control plane whose nodes are the twin's, at one address for clients, with the Talos API. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/cli/migration/system-clock.ts';
import { openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import type { ClusterInput } from '../../../src/model/cluster-input.ts';
import { plainTree } from '../../../src/model/config-tree.ts';
import type { KubeObject, NodeObject } from '../../../src/model/kubernetes.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';
import { EndpointsController } from '../../../src/twin/controllers/endpoints.ts';
import { buildWorld, type TwinWorld } from '../../../src/twin/scenario/build-world.ts';
import type { World } from '../../../src/twin/world.ts';
import { serveTwin } from '../../../src/twin/wire/serve-twin.ts';
import { serveTalos } from '../../../src/twin/wire/talos/serve-talos.ts';
import { startControlPlane } from '../api/part.ts';
import { REGAUGE } from '../clients/served-twin.ts';
import { helmHome, run } from '../command.ts';
import { asWritten, RealCluster } from '../install/real-cluster.ts';
import type { Lane } from '../lane.ts';
import type { Desk } from '../migrate/killed-runs.ts';
import { proxyApi } from './api-proxy.ts';
import { NodeBridge } from './node-bridge.ts';

/** Made by controllers of the real control plane. */
const BY_CONTROLLERS = new Set([
  'Pod',
  'ReplicaSet',
  'EndpointSlice',
  'Endpoints',
  'ControllerRevision',
]);
const READ: readonly (readonly [string, string])[] = [
  ['v1', 'Node'],
  ['v1', 'Namespace'],
  ['v1', 'ServiceAccount'],
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
  ['v1', 'Pod'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'ReplicaSet'],
];

/** Of the pods of a generated cluster. */
export const FLANNEL_RANGE = /^10\.244\./;

export interface TwinNodes {
  /** For whoever speaks to the API server itself. */
  readonly cluster: RealCluster;
  readonly port: KubernetesPort;
  readonly bridge: NodeBridge;
  readonly desk: Desk;
  /** What the twin, or the server about the twin's writes, has complained of. */
  readonly failures: readonly unknown[];
}

/** Ends with the lane. `speed`: virtual seconds per second. */
export async function startTwinNodes(
  lane: Lane,
  helm: string,
  input: ClusterInput,
  speed: number,
): Promise<TwinNodes> {
  const plane = await startControlPlane(lane);
  const { kubeconfig } = plane;
  const binaries = { kubectl: plane.software.kubectl, helm };
  const cluster = new RealCluster(binaries, kubeconfig, plane.directory);
  const port = await openKubernetes({ kubeconfig, requestsPerSecond: 1_000 });
  lane.onEnd(() => port.close());
  await bring(cluster, input);
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const now = Date.now();
  const world = await worldOf(port, input, now);
  const host = { host: '127.0.0.1', port: 0 };
  const twin = await serveTwin({ world, clusterName: 'kubelets', speed, ...host, now, onFailure });
  lane.onEnd(() => twin.close());
  const talos = await serveTalos({ world, time: twin.pace, now, port: 0 });
  lane.onEnd(() => talos.close());
  const { pace } = twin;
  const bridge = new NodeBridge({ world, port, clock: systemClock(), pace, onFailure });
  lane.onEnd(() => bridge.end());
  const proxy = await proxyApi(kubeconfig, twin.kubeconfig);
  lane.onEnd(() => proxy.close());
  const directory = join(plane.directory, 'desk');
  const files = { kubeconfig: proxy.kubeconfig, talosconfig: talos.talosconfig };
  return { cluster, port, bridge, desk: deskIn(directory, helm, files), failures };
}

/** Cilium's operator brings them when it starts; the twin's has nothing to bring to a real server. */
export async function serveCrds(
  { cluster, bridge }: Pick<TwinNodes, 'cluster' | 'bridge'>,
  crds: string,
): Promise<void> {
  await cluster.kubectl(['apply', '--server-side', '-f', crds, '--recursive']);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
  bridge.follow('cilium.io/v2', 'CiliumNodeConfig');
}

/** What a person has applied; pods come from the controllers. */
async function bring(cluster: RealCluster, { objects }: ClusterInput): Promise<void> {
  const all = objects.map(({ object }) => object).filter(({ kind }) => !BY_CONTROLLERS.has(kind));
  const early = ['Namespace', 'Node', 'ServiceAccount'];
  for (const kind of early)
    await cluster.create(all.filter((object) => object.kind === kind).map(asWritten));
  for (const node of all.filter((object): object is NodeObject => object.kind === 'Node')) {
    const patch = JSON.stringify({ status: node.status });
    const args = ['patch', 'node', node.metadata.name, '--subresource=status', '--type=merge'];
    await cluster.kubectl([...args, '-p', patch]);
  }
  await cluster.create(all.filter(({ kind }) => !early.includes(kind)).map(asWritten));
}

/** A twin of what the server has; of its control plane only what no real one does here. */
async function worldOf(port: KubernetesPort, input: ClusterInput, now: number): Promise<TwinWorld> {
  const lists = await Promise.all(
    READ.map(async ([apiVersion, kind]) =>
      (await port.list<KubeObject>(apiVersion, kind)).map((object) => ({
        ...object,
        apiVersion,
        kind,
      })),
    ),
  );
  const source = { file: 'live' };
  const objects = lists
    .flat()
    .map((object) => ({ object, source, tree: plainTree(object, source) }));
  return buildWorld({ ...input, objects }, { seed: 1, epochMs: now, controllers: endpointsAlone })
    .world;
}

/** Addresses behind Services are the nodes' own business; all other controllers are real. */
function endpointsAlone(world: World): void {
  void new EndpointsController(world);
}

function deskIn(
  directory: string,
  helm: string,
  files: Readonly<Record<'kubeconfig' | 'talosconfig', string>>,
): Desk {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const placed = (name: keyof typeof files): string => {
    const path = join(directory, name);
    writeFileSync(path, files[name], { mode: 0o600 });
    return path;
  };
  const environment = {
    KUBECONFIG: placed('kubeconfig'),
    TALOSCONFIG: placed('talosconfig'),
    NO_COLOR: '1',
    ...helmHome(directory),
  };
  return {
    directory,
    helm,
    environment: () => environment,
    run: (client, args) => {
      const [binary, first] = client === 'helm' ? [helm, []] : [process.execPath, [REGAUGE]];
      return run(binary, [...first, ...args], { cwd: directory, env: environment });
    },
  };
}
