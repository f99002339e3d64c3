/**
 * NoExecute taints: pods that do not tolerate one go at once, those that tolerate it for a while go
 * then (KK pkg/controller/tainteviction). One timer per node, for the first pod that is due.
 */
import type { NodeObject, PodObject, Taint } from '../../model/kubernetes.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import type { Timer } from '../kernel/kernel.ts';
import { POD_PART } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { tolerates } from './node-fit.ts';

interface Tainted {
  readonly taints: readonly { readonly taint: Taint; readonly since: number }[];
  timer: Timer | undefined;
}

export class TaintEvictionController {
  private readonly world: World;
  private readonly tainted = new Map<string, Tainted>();

  constructor(world: World) {
    this.world = world;
    for (const node of world.store.list('Node')) this.look(node);
    world.store.watch('Node', ({ type, object, old }) => {
      if (type === 'deleted') this.forget(object.metadata.name);
      else if (object.spec.taints !== old?.spec.taints) this.look(object);
    });
    world.store.watchPods({ parts: POD_PART.node }, ({ type, object, old }) => {
      const { nodeName } = object.spec;
      if (nodeName === undefined || !this.tainted.has(nodeName)) return;
      if (type !== 'deleted' && old?.spec.nodeName !== nodeName) this.plan(nodeName);
    });
  }

  private look(node: NodeObject): void {
    const { name } = node.metadata;
    const taints = (node.spec.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
    const before = this.tainted.get(name);
    before?.timer?.cancel();
    if (taints.length === 0) {
      this.tainted.delete(name);
      return;
    }
    const now = this.world.kernel.now();
    const since = (taint: Taint): number =>
      before?.taints.find((known) => known.taint.key === taint.key)?.since ?? now;
    this.tainted.set(name, {
      taints: taints.map((taint) => ({ taint, since: since(taint) })),
      timer: undefined,
    });
    this.plan(name);
  }

  private forget(node: string): void {
    this.tainted.get(node)?.timer?.cancel();
    this.tainted.delete(node);
  }

  private plan(node: string): void {
    const tainted = this.tainted.get(node);
    if (tainted === undefined) return;
    tainted.timer?.cancel();
    tainted.timer = undefined;
    let first = Infinity;
    for (const pod of this.world.store.podsOn(node)) {
      if (pod.metadata.deletionTimestamp === undefined)
        first = Math.min(first, dueAt(pod, tainted));
    }
    if (first === Infinity) return;
    const { kernel, api } = this.world;
    tainted.timer = kernel.after(Math.max(0, first - kernel.now()), () => {
      tainted.timer = undefined;
      if (api.healthy() || api.whenHealthy === undefined) this.evict(node);
      else api.whenHealthy(() => this.evict(node));
    });
  }

  private evict(node: string): void {
    const tainted = this.tainted.get(node);
    if (tainted === undefined) return;
    const { kernel, store } = this.world;
    for (const pod of store.podsOn(node)) {
      if (pod.metadata.deletionTimestamp !== undefined || dueAt(pod, tainted) > kernel.now())
        continue;
      kernel.because(kernel.causes, () => this.remove(pod, node));
    }
    this.plan(node);
  }

  private remove(pod: PodObject, node: string): void {
    const { kernel, store } = this.world;
    const { namespace = 'default', name, uid } = pod.metadata;
    const subject = { kind: 'Pod', namespace, name };
    const message = `Marking for deletion Pod ${namespace}/${name}`;
    eventRecorderOf(this.world).record({
      subject,
      subjectUid: uid,
      component: 'taint-eviction-controller',
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message,
    });
    kernel.occur('node.pod-evicted-by-taint', { node, subject, message });
    store.delete('Pod', namespace, name);
  }
}

/** When the pod has to go (virtual milliseconds); Infinity when it may stay for good. */
function dueAt(pod: PodObject, { taints }: Tainted): number {
  let due = Infinity;
  for (const { taint, since } of taints) {
    const seconds = toleratedFor(pod, taint);
    due = Math.min(due, since + seconds * 1000);
  }
  return due;
}

function toleratedFor(pod: PodObject, taint: Taint): number {
  const matching = (pod.spec.tolerations ?? []).filter((toleration) =>
    tolerates(toleration, taint),
  );
  if (matching.length === 0) return 0;
  const limits = matching.map(({ tolerationSeconds }) => tolerationSeconds ?? Infinity);
  return Math.max(0, Math.min(...limits));
}
