/**
 * The twin plays the nodes of a real control plane: real controllers and the real scheduler want pods,
 * real Helm installs Cilium and waits for it, and one node moves to it by the steps a plan would take.
 */
import type { NodeObject, PodObject } from '../../../src/model/kubernetes.ts';
import { MIGRATION_LABEL } from '../../../src/planner/choices.ts';
import { nodeConfig } from '../../../src/planner/node-config.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';
import { tinyCluster, TWO_WEBS } from '../../support/small-cluster.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import { releasesFor } from '../charts/plans.ts';
import type { RealCluster } from '../install/real-cluster.ts';
import type { Lane, Part } from '../lane.ts';
import { FLANNEL_RANGE, serveCrds, startTwinNodes } from './twin-nodes.ts';

export const NODES: Part = {
  name: 'nodes',
  about: 'the twin as the nodes of a real control plane, and Cilium on them by Helm',
  run: playNodes,
};

const CHART = '1.18.11';
/** Virtual seconds per second: agents take most of a minute to start. */
const SPEED = 5;
const IN_CHARTS = ['--namespace', 'kube-system'];
const MOVED = 't-wrk-01';

async function playNodes(lane: Lane): Promise<void> {
  const helm = obtainHelm(lane.cache);
  const { minors } = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const chart = minors.find(({ version }) => version === CHART);
  if (chart === undefined) {
    lane.skip('helm install on the nodes of the twin', `chart ${CHART} cannot be had here`);
    return;
  }
  const input = tinyCluster({ workloads: [TWO_WEBS] });
  const nodes = await startTwinNodes(lane, helm, input, SPEED);
  const { cluster, port, failures } = nodes;
  await lane.check('kubelets run what real controllers want, on Flannel', async () => {
    for (const workload of ['ds/kube-flannel', 'ds/kube-proxy', 'deploy/coredns'])
      await rolledOut(cluster, workload);
    await rolledOut(cluster, 'deploy/web', 'a');
    const others = (await addressesOf(port)).filter((ip) => !FLANNEL_RANGE.test(ip));
    if (others.length > 0) throw new Error(`pods have ${others.join()}`);
  });
  await lane.check('helm upgrade --install --wait: agents are ready beside Flannel', async () => {
    await serveCrds(nodes, chart.crds);
    const release = ['cilium', chart.directory, ...IN_CHARTS];
    const { release: values = {} } = releasesFor({}, CHART)[0] ?? {};
    await cluster.helm(['upgrade', '--install', ...release, '--wait', '--timeout=120s'], values);
  });
  await lane.check('a labelled node whose agent restarts gives pods the new network', () =>
    moveOne(cluster, port),
  );
  await lane.check('the nodes wrote nothing that the server refused', () => {
    if (failures.length > 0) throw failures[0];
  });
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
  const old = (await addressesOf(port)).filter((ip) => FLANNEL_RANGE.test(ip));
  if (old.length > 0) throw new Error(`pods have ${old.join()}, of Flannel`);
}

async function addressesOf(port: KubernetesPort): Promise<readonly string[]> {
  const pods = await port.list<PodObject>('v1', 'Pod', { namespace: 'a' });
  if (pods.length === 0) throw new Error('there are no pods');
  return pods.map(({ status }) => status.podIP ?? 'no address');
}

async function rolledOut(
  cluster: RealCluster,
  workload: string,
  namespace = 'kube-system',
): Promise<void> {
  const args = ['rollout', 'status', workload, '--namespace', namespace, '--timeout=90s'];
  await cluster.kubectl(args);
}
