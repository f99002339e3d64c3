/**
 * `talosctl health`: the checks of a control plane, in their order, each waited for; what a version leaves
 * out is left out. Nothing checks the CNI itself. Source: talos:pkg/cluster/check/default.go,
 * kubernetes.go@v1.13.9 (knowledge talos-and-cni-selection.md 4.11).
 */
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { atLeast } from '../../../base/versions.ts';
import { ClusterService } from '../../../knowledge/talos-api/cluster/cluster.ts';
import { healthBlindWithoutCni } from '../../../knowledge/talos-versions.ts';
import type { PodObject } from '../../../model/kubernetes.ts';
import { settingsOfConfig } from '../../machine/talos-config.ts';
import type { TwinNode, World } from '../../world.ts';
import type { Apid, Call } from './apid.ts';
import type { News } from './news.ts';
import { servicesOf } from './machine-services.ts';

type Verdict = 'OK' | 'SKIP' | { readonly waits: string };

interface Check {
  readonly name: string;
  readonly judge: (world: World, call: Call) => Verdict;
}

export function addClusterRoutes(apid: Apid, router: ConnectRouter, news: News): void {
  apid.stream(router, ClusterService.method.healthCheck, async function* (call, request) {
    const { waitTimeout } = request;
    const patience = waitTimeout === undefined ? WAIT_MS : durationMs(waitTimeout);
    const end = endOf(apid, patience);
    for (const { name, judge } of checksOf(call.talos.version())) {
      yield { message: `waiting for ${name}: ...` };
      let told = '';
      for (;;) {
        const verdict = judge(apid.world, call);
        const text = typeof verdict === 'string' ? verdict : verdict.waits;
        if (text !== told) yield { message: `waiting for ${name}: ${text}` };
        told = text;
        if (typeof verdict === 'string') break;
        if (call.signal.aborted) return;
        if (end.isOver())
          throw new ConnectError('context deadline exceeded', Code.DeadlineExceeded);
        await Promise.race([news.next(call.signal), end.reached]);
      }
    }
  });
}

/** Of talosctl, where it names none. */
const WAIT_MS = 20 * 60_000;

function endOf(
  apid: Apid,
  patienceMs: number,
): { readonly reached: Promise<void>; isOver(): boolean } {
  const { kernel } = apid.world;
  const at = kernel.now() + patienceMs;
  const reached = new Promise<void>((resolve) => {
    apid.now(() => kernel.after(patienceMs, resolve));
  });
  return { reached, isOver: () => kernel.now() >= at };
}

function checksOf(version: string): readonly Check[] {
  return CHECKS.filter(({ name }) => name !== DIAGNOSTICS || atLeast(version, '1.9.0-0'));
}

const DIAGNOSTICS = 'no diagnostics';

const CHECKS: readonly Check[] = [
  check('etcd to be healthy', (world) => allOf(controlPlanes(world), runs('etcd'), 'etcd')),
  check('etcd members to be consistent across nodes', () => 'OK'),
  check('etcd members to be control plane nodes', () => 'OK'),
  check('apid to be ready', (world) => allOf(nodesOf(world), ({ machine }) => machine.up, 'apid')),
  check('all nodes memory sizes', () => 'OK'),
  check('all nodes disk sizes', () => 'OK'),
  check(DIAGNOSTICS, () => 'OK'),
  check('kubelet to be healthy', (world) => allOf(nodesOf(world), runs('kubelet'), 'kubelet')),
  check('all nodes to finish boot sequence', (world) =>
    allOf(nodesOf(world), ({ machine }) => machine.talos?.stage() === 'running', 'boot sequence'),
  ),
  check('all k8s nodes to report', (world) =>
    allOf(nodesOf(world), ({ name }) => nodeObject(world, name) !== undefined, 'node'),
  ),
  check('all control plane static pods to be running', answers),
  check('all control plane components to be ready', answers),
  check('all k8s nodes to report ready', (world, call) =>
    isBlind(call) ? 'SKIP' : allOf(nodesOf(world), ({ name }) => isReady(world, name), 'ready'),
  ),
  check('kube-proxy to report ready', (world) =>
    world.store.get('DaemonSet', 'kube-system', 'kube-proxy') === undefined
      ? 'SKIP'
      : podsReady(world, 'kube-proxy'),
  ),
  check('coredns to report ready', (world, call) =>
    isBlind(call) ? 'SKIP' : podsReady(world, 'kube-dns'),
  ),
  check('all k8s nodes to report schedulable', (world) =>
    allOf(nodesOf(world), ({ name }) => !isCordoned(world, name), 'schedulable'),
  ),
];

function check(name: string, judge: Check['judge']): Check {
  return { name, judge };
}

function nodesOf(world: World): readonly TwinNode[] {
  return [...world.nodes.values()];
}

function controlPlanes(world: World): readonly TwinNode[] {
  return nodesOf(world).filter(({ role }) => role === 'control-plane');
}

function allOf(
  nodes: readonly TwinNode[],
  isWell: (node: TwinNode) => boolean,
  what: string,
): Verdict {
  const ill = nodes.filter((node) => !isWell(node)).map(({ name }) => name);
  return ill.length === 0 ? 'OK' : { waits: `${what}: not on ${JSON.stringify(ill)}` };
}

function runs(service: string): (node: TwinNode) => boolean {
  return (node) =>
    node.machine.up &&
    servicesOf(node).some(({ id, state }) => id === service && state === 'Running');
}

function answers(world: World): Verdict {
  return world.api.healthy() ? 'OK' : { waits: 'the API server does not answer' };
}

function nodeObject({ store }: World, name: string) {
  return store.get('Node', undefined, name);
}

function isReady(world: World, name: string): boolean {
  const conditions = nodeObject(world, name)?.status.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function isCordoned(world: World, name: string): boolean {
  return nodeObject(world, name)?.spec.unschedulable === true;
}

/** By the label that Talos's own manifests give them. */
function podsReady({ store }: World, app: string): Verdict {
  const pods = store
    .list('Pod', 'kube-system')
    .filter(({ metadata }) => metadata.labels?.['k8s-app'] === app);
  if (pods.length === 0) return { waits: `no ready pods found for k8s-app=${app}` };
  const ill = pods.filter((pod) => !isPodReady(pod)).map(({ metadata }) => metadata.name);
  return ill.length === 0 ? 'OK' : { waits: `some pods are not ready: ${JSON.stringify(ill)}` };
}

function isPodReady({ status }: PodObject): boolean {
  return (
    status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true
  );
}

/** From 1.13 on nobody looks at nodes and DNS any more where Talos brings no CNI. */
function isBlind({ node, talos }: Call): boolean {
  const version = talos.version();
  if (!healthBlindWithoutCni(version)) return false;
  return settingsOfConfig(node.machine.config(), version).cniName === 'none';
}
