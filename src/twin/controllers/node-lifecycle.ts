/**
 * The node lifecycle controller: leases that lapse, and the taints that follow the Ready condition
 * and a cordon (KK pkg/controller/nodelifecycle). NoExecute taints come at a limited rate, slower in
 * a zone that is mostly down, and not at all when everything is.
 */
import type { Condition, NodeObject, Taint } from '../../model/kubernetes.ts';
import { NOT_READY, UNREACHABLE } from '../api/pod-admission.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import { readyCondition, readyOf, withReady } from '../kubelet/node-condition.ts';
import { nodeLeasesOf } from '../kubelet/node-leases.ts';
import type { Timer } from '../kernel/kernel.ts';
import type { World } from '../world.ts';
import { UNSCHEDULABLE } from './node-fit.ts';
import { TaintRate } from './taint-rate.ts';
import { WorkQueue } from './work-queue.ts';

const STOPPED = 'Kubelet stopped posting node status.';
const OWN_KEYS = new Set([NOT_READY, UNREACHABLE, UNSCHEDULABLE.key]);

export class NodeLifecycleController {
  private readonly world: World;
  private readonly graces = new Map<string, Timer>();
  private readonly rate: TaintRate;
  /** Nodes whose taints wait for an answer of the API server. */
  private readonly writing = new Set<string>();
  /** Nodes whose taints admission did not take. */
  private readonly refused: WorkQueue;

  constructor(world: World) {
    this.world = world;
    this.refused = new WorkQueue(world, (name) => {
      const node = world.store.get('Node', undefined, name);
      if (node !== undefined) this.look(node);
    });
    this.rate = new TaintRate(world, (node) => this.taintForEviction(node));
    const leases = nodeLeasesOf(world.store);
    leases.onChange((node, renewing) => (renewing ? this.renewed(node) : this.lapsed(node)));
    for (const node of world.store.list('Node')) {
      this.look(node);
      if (leases.lapsedSince(node.metadata.name) !== undefined) this.lapsed(node.metadata.name);
    }
    world.store.watch('Node', ({ type, object }) => {
      if (type === 'deleted') this.rate.forget(object.metadata.name);
      else this.look(object);
    });
  }

  // ------------------------------------------------------------ leases

  private lapsed(node: string): void {
    const { kernel, constants, store } = this.world;
    const since = nodeLeasesOf(store).lapsedSince(node) ?? kernel.now();
    const wait = Math.max(0, since + constants.nodeMonitorGraceMs - kernel.now());
    this.graces.get(node)?.cancel();
    this.graces.set(
      node,
      kernel.after(wait, () => this.whenApiAnswers(() => this.unknown(node))),
    );
  }

  private renewed(node: string): void {
    this.graces.get(node)?.cancel();
    this.graces.delete(node);
  }

  private unknown(node: string): void {
    const { kernel, store } = this.world;
    if (!this.graces.delete(node)) return;
    const object = store.get('Node', undefined, node);
    if (object === undefined || readyCondition(object)?.status === 'Unknown') return;
    kernel.occur('node.unreachable', {
      node,
      subject: { kind: 'Node', name: node },
      message: `Node ${node} Ready=Unknown: ${STOPPED}`,
    });
    const condition = readyOf('Unknown', 'NodeStatusUnknown', STOPPED, store.timestamp());
    store.update('Node', undefined, node, (old) => withReady(old, condition));
    this.event(object, 'Normal', 'NodeNotReady', `Node ${node} status is now: NodeNotReady`);
    this.markPodsNotReady(node);
  }

  /** Nobody on a dead node would say it: its pods leave the endpoints. */
  private markPodsNotReady(node: string): void {
    const { store } = this.world;
    const now = store.timestamp();
    for (const pod of store.podsOn(node)) {
      if (!pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
        continue;
      const conditions = pod.status.conditions.map((condition) =>
        condition.type === 'Ready' ? notReadyNow(condition, now) : condition,
      );
      store.update('Pod', pod.metadata.namespace, pod.metadata.name, (old) => ({
        ...old,
        status: { ...old.status, conditions },
      }));
    }
  }

  // ------------------------------------------------------------ taints

  private look(node: NodeObject): void {
    const { name } = node.metadata;
    const ready = readyCondition(node)?.status ?? 'True';
    this.rate.set(name, zoneOf(node), ready !== 'True');
    const key = taintKey(ready);
    const wanted = wantedTaints(node, key);
    const current = node.spec.taints ?? [];
    const kept = current.filter((taint) => !OWN_KEYS.has(taint.key));
    const executing = current.find(
      (taint) => taint.effect === 'NoExecute' && OWN_KEYS.has(taint.key),
    );
    // The NoExecute taint follows at its own pace; the wrong one goes at once.
    if (executing !== undefined && executing.key === key) wanted.push(executing);
    if (!sameTaints(current, [...kept, ...wanted])) {
      this.whenApiAnswers(() => this.write(name, [...kept, ...wanted]));
    }
    if (key !== undefined && executing?.key !== key) this.rate.request(name);
  }

  private taintForEviction(name: string): void {
    const node = this.world.store.get('Node', undefined, name);
    if (node === undefined) return;
    const key = taintKey(readyCondition(node)?.status ?? 'True');
    const taints = node.spec.taints ?? [];
    if (
      key === undefined ||
      taints.some((taint) => taint.key === key && taint.effect === 'NoExecute')
    )
      return;
    this.whenApiAnswers(() => {
      const timeAdded = this.world.store.timestamp();
      this.write(name, [...taints, { key, effect: 'NoExecute', timeAdded }]);
    });
  }

  private write(name: string, taints: readonly Taint[]): void {
    const { api, store, kernel } = this.world;
    if (this.writing.has(name)) return;
    const { labels } = store.get('Node', undefined, name)?.metadata ?? {};
    const { ok, delayMs = 0 } = api.admit('UPDATE', 'Node', undefined, labels);
    const settle = (): void => {
      if (ok) this.store(name, taints);
    };
    if (delayMs === 0) {
      settle();
      if (ok) this.refused.succeeded(name);
      else this.refused.retry(name);
      return;
    }
    this.writing.add(name);
    const settled = this.refused.hold(name);
    kernel.after(delayMs, () => {
      this.writing.delete(name);
      settle();
      settled(!ok);
    });
  }

  private store(name: string, taints: readonly Taint[]): void {
    this.world.store.update('Node', undefined, name, (node) => {
      const { taints: _old, ...spec } = node.spec;
      return { ...node, spec: taints.length === 0 ? spec : { ...spec, taints } };
    });
  }

  private whenApiAnswers(action: () => void): void {
    const { api } = this.world;
    if (api.healthy() || api.whenHealthy === undefined) action();
    else api.whenHealthy(action);
  }

  private event(
    node: NodeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): void {
    const subject = { kind: 'Node', name: node.metadata.name };
    eventRecorderOf(this.world).record({
      subject,
      component: 'node-controller',
      type,
      reason,
      message,
    });
  }
}

function taintKey(ready: Condition['status']): string | undefined {
  if (ready === 'True') return undefined;
  return ready === 'False' ? NOT_READY : UNREACHABLE;
}

function wantedTaints(node: NodeObject, key: string | undefined): Taint[] {
  const taints: Taint[] = [];
  if (node.spec.unschedulable === true) taints.push(UNSCHEDULABLE);
  if (key !== undefined) taints.push({ key, effect: 'NoSchedule' });
  return taints;
}

function sameTaints(left: readonly Taint[], right: readonly Taint[]): boolean {
  if (left.length !== right.length) return false;
  const names = new Set(left.map(showTaint));
  return right.every((taint) => names.has(showTaint(taint)));
}

function showTaint({ key, value = '', effect }: Taint): string {
  return `${key}=${value}:${effect}`;
}

function notReadyNow(condition: Condition, now: string): Condition {
  const { type } = condition;
  return { type, status: 'False', reason: 'NodeNotReady', lastTransitionTime: now };
}

function zoneOf(node: NodeObject): string {
  const labels = node.metadata.labels ?? {};
  const region = labels['topology.kubernetes.io/region'] ?? '';
  return `${region}:${labels['topology.kubernetes.io/zone'] ?? ''}`;
}
