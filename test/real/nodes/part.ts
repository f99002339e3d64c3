/**
 * The twin plays the nodes of a real control plane: real controllers and the real scheduler want pods,
 * real Helm installs Cilium and waits for it, and one node moves to it by the steps a plan would take.
 */
import type { ClusterInput } from '../../../src/model/cluster-input.ts';
import type { KubeObject, NodeObject, PodObject } from '../../../src/model/kubernetes.ts';
import { systemClock } from '../../../src/cli/migration/system-clock.ts';
import { openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import { plainTree } from '../../../src/model/config-tree.ts';
import { MIGRATION_LABEL } from '../../../src/planner/choices.ts';
import { nodeConfig } from '../../../src/planner/node-config.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';
import { EndpointsController } from '../../../src/twin/controllers/endpoints.ts';
import { buildWorld } from '../../../src/twin/scenario/build-world.ts';
import { Pace } from '../../../src/twin/wire/pace.ts';
import { tinyCluster, TWO_WEBS } from '../../support/small-cluster.ts';
import { startControlPlane } from '../api/part.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import { releasesFor } from '../charts/plans.ts';
import { asWritten, RealCluster } from '../install/real-cluster.ts';
import type { Lane, Part } from '../lane.ts';
import { NodeBridge } from './node-bridge.ts';

export const NODES: Part = {
  name: 'nodes',
  about: 'the twin as the nodes of a real control plane, and Cilium on them by Helm',
  run: playNodes,
};

const CHART = '1.18.11';
const IN_CHARTS = ['--namespace', 'kube-system'];
/** Virtual seconds per second: agents take most of a minute to start. */
const SPEED = 5;
const FLANNEL_RANGE = /^10\.244\./;
const MOVED = 't-wrk-01';
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

async function playNodes(lane: Lane): Promise<void> {
  const helm = obtainHelm(lane.cache);
  const { minors } = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const chart = minors.find(({ version }) => version === CHART);
  if (chart === undefined) {
    lane.skip('helm install on the nodes of the twin', `chart ${CHART} cannot be had here`);
    return;
  }
  const plane = await startControlPlane(lane);
  const binaries = { kubectl: plane.software.kubectl, helm };
  const cluster = new RealCluster(binaries, plane.kubeconfig, plane.directory);
  const port = await openKubernetes({ kubeconfig: plane.kubeconfig, requestsPerSecond: 1_000 });
  lane.onEnd(() => port.close());
  const input = tinyCluster({ workloads: [TWO_WEBS] });
  await bring(cluster, input);
  const failures: unknown[] = [];
  const bridge = await bridgeTo(port, input, (error) => failures.push(error));
  lane.onEnd(() => bridge.end());
  await lane.check('kubelets run what real controllers want, on Flannel', async () => {
    for (const workload of ['ds/kube-flannel', 'ds/kube-proxy', 'deploy/coredns'])
      await rolledOut(cluster, workload);
    await rolledOut(cluster, 'deploy/web', 'a');
    for (const ip of await addressesOf(port)) expectMatch(ip, FLANNEL_RANGE);
  });
  const [first = {}] = Object.values(
    Object.fromEntries(releasesFor({}, CHART).map(({ step, release }) => [step, release])),
  );
  await lane.check('helm upgrade --install --wait: agents are ready beside Flannel', async () => {
    const release = ['cilium', chart.directory, ...IN_CHARTS];
    await cluster.kubectl(['apply', '--server-side', '-f', chart.crds, '--recursive']);
    await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    bridge.follow('cilium.io/v2', 'CiliumNodeConfig');
    await cluster.helm(['upgrade', '--install', ...release, '--wait', '--timeout=120s'], first);
  });
  await lane.check('a labelled node whose agent restarts gives pods the new network', () =>
    moveOne(cluster, port),
  );
  await lane.check('the twin’s nodes wrote nothing that the server refused', () => {
    if (failures.length > 0) throw failures[0];
  });
}

/** What a person has applied; pods come from the controllers. */
async function bring(cluster: RealCluster, { objects }: ClusterInput): Promise<void> {
  const all = objects.map(({ object }) => object).filter(({ kind }) => !BY_CONTROLLERS.has(kind));
  const before = (kinds: readonly string[]): readonly KubeObject[] =>
    all.filter(({ kind }) => kinds.includes(kind)).map(asWritten);
  const early = ['Namespace', 'Node', 'ServiceAccount'];
  for (const kind of early) await cluster.create(before([kind]));
  for (const node of all.filter((object): object is NodeObject => object.kind === 'Node')) {
    const patch = JSON.stringify({ status: node.status });
    const args = ['patch', 'node', node.metadata.name, '--subresource=status', '--type=merge'];
    await cluster.kubectl([...args, '-p', patch]);
  }
  await cluster.create(all.filter(({ kind }) => !early.includes(kind)).map(asWritten));
}

/** A twin of what the server has, whose kubelets are its kubelets from now on. */
async function bridgeTo(
  port: KubernetesPort,
  input: ClusterInput,
  onFailure: (error: unknown) => void,
): Promise<NodeBridge> {
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
  const { world } = buildWorld(
    { ...input, objects },
    {
      seed: 1,
      epochMs: Date.now(),
      // The others are real.
      controllers: (own) => void new EndpointsController(own),
    },
  );
  const pace = new Pace({ kernel: world.kernel, speed: SPEED, onFailure });
  const bridge = new NodeBridge({ world, port, clock: systemClock(), pace, onFailure });
  pace.resume();
  return bridge;
}

async function moveOne(cluster: RealCluster, port: KubernetesPort): Promise<void> {
  await cluster.create([nodeConfig(CHART, 'kube-system', true)]);
  await cluster.kubectl(['label', 'node', MOVED, `${MIGRATION_LABEL}=true`]);
  const onNode = `spec.nodeName=${MOVED}`;
  const agents = ['pod', ...IN_CHARTS, '-l', 'k8s-app=cilium', '--field-selector', onNode];
  await cluster.kubectl(['delete', ...agents, '--wait']);
  await rolledOut(cluster, 'ds/cilium');
  const others = (await port.list<NodeObject>('v1', 'Node'))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== MOVED);
  await cluster.kubectl(['cordon', ...others]);
  await cluster.kubectl(['delete', 'pod', '--namespace', 'a', '--all', '--wait']);
  await rolledOut(cluster, 'deploy/web', 'a');
  for (const ip of await addressesOf(port)) {
    if (FLANNEL_RANGE.test(ip)) throw new Error(`a pod has ${ip}, of Flannel`);
  }
}

async function addressesOf(port: KubernetesPort): Promise<readonly string[]> {
  const pods = await port.list<PodObject>('v1', 'Pod', { namespace: 'a' });
  if (pods.length === 0) throw new Error('there are no pods');
  return pods.map(({ status }) => status.podIP ?? '');
}

async function rolledOut(
  cluster: RealCluster,
  workload: string,
  namespace = 'kube-system',
): Promise<void> {
  await cluster.kubectl(['rollout', 'status', workload, '--namespace', namespace, '--timeout=90s']);
}

function expectMatch(text: string, pattern: RegExp): void {
  if (!pattern.test(text)) throw new Error(`${text} does not match ${pattern}`);
}
