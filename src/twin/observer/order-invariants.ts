/**
 * What a run must keep to while it works: it begins with no node while another is in trouble, takes no
 * more pods of a budget than it allows, scales nothing, and leaves no mark behind.
 */
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import { objectKey } from '../../model/kubernetes.ts';
import { budgetsOf } from '../controllers/disruption.ts';
import type { World } from '../world.ts';
import type { Note } from './conf-invariant.ts';

const MIGRATION_LABEL = /^io\.cilium\.migration\//;
const OWN_MARK = /^regauge\.dev\//;
/** Taints that Kubernetes itself sets and lifts. */
const OF_KUBERNETES = /^node\.(kubernetes|cilium)\.io\//;
/** Nobody can know sooner that a node is in trouble (milliseconds). */
const KNOWN_AFTER_MS = 30_000;

/** A node is begun when it gets the label of the new network. */
export function watchBeginnings({ store, kernel }: World, note: Note): void {
  const since = new Map<string, number>();
  store.watch('Node', ({ type, object, old }) => {
    const { name } = object.metadata;
    if (type === 'deleted' || isReady(object)) since.delete(name);
    else if (!since.has(name)) since.set(name, kernel.now());
    if (type !== 'modified' || isBegun(old) || !isBegun(object)) return;
    for (const [other, from] of since) {
      const node = other === name ? undefined : store.get('Node', undefined, other);
      if (node === undefined || kernel.now() - from < KNOWN_AFTER_MS) continue;
      // One that is closed in the middle of its own move is of the same wave.
      if (isBegun(node) && node.spec.unschedulable === true) continue;
      note(`${name} was begun while ${other} was not Ready`);
    }
  });
}

function isReady({ status }: NodeObject): boolean {
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True';
}

function isBegun(node: NodeObject | undefined): boolean {
  return Object.keys(node?.metadata.labels ?? {}).some((label) => MIGRATION_LABEL.test(label));
}

/**
 * A budget without room for one allows no order at all: a plan says so, and restarts in place. Nor is one
 * judged that lost a pod by itself (its machine, its process), until it is whole again.
 */
export function watchBudgets(world: World, note: Note): void {
  const { store } = world;
  if (store.first('PodDisruptionBudget') === undefined) return;
  const budgets = budgetsOf(store);
  /** Budgets that have lost a pod so, and were not whole since. */
  const struck = new Set<string>();
  budgets.onChange((key) => {
    const budget = budgets.named(key);
    if (budget === undefined) return;
    const { currentHealthy, desiredHealthy, expectedPods } = budgets.allowance(budget, key);
    if (currentHealthy >= expectedPods) struck.delete(key);
    else if (
      !struck.has(key) &&
      budgets.someUnhealthy(key, expectedPods, (pod) => isAwayByItself(world, pod))
    )
      struck.add(key);
    if (currentHealthy >= desiredHealthy || desiredHealthy >= expectedPods) return;
    if (struck.has(key) || isMachineDown(world)) return;
    note(`budget ${key} wants ${desiredHealthy} of ${expectedPods} pods and has ${currentHealthy}`);
  });
}

/** Of a Node that is gone its pods are gone too, and say nothing of it. Asked only where a budget is short. */
function isMachineDown({ nodes }: World): boolean {
  return [...nodes.values()].some(({ machine }) => !machine.up);
}

function isAwayByItself({ store, nodes }: World, pod: PodObject): boolean {
  if (pod.spec.nodeName === undefined) return false;
  if (nodes.get(pod.spec.nodeName)?.machine.up === false) return true;
  const node = store.get('Node', undefined, pod.spec.nodeName);
  if (node !== undefined && !isReady(node)) return true;
  const { deletionTimestamp } = pod.metadata;
  const crashes = pod.status.containerStatuses?.some(({ restartCount = 0 }) => restartCount > 0);
  return deletionTimestamp === undefined && crashes === true;
}

const SCALED = ['Deployment', 'StatefulSet'] as const;

export function watchReplicas({ store }: World, note: Note): void {
  for (const kind of SCALED) {
    store.watch(kind, ({ type, object, old }) => {
      const before = old?.spec.replicas ?? 1;
      const now = object.spec.replicas ?? 1;
      if (type !== 'modified' || old === undefined || before === now) return;
      note(`${kind} ${objectKey(object)} was scaled from ${before} to ${now}`);
    });
  }
}

/** What is on the nodes now and was not when this was called, or when they joined. */
export function rememberMarks({ store }: World): () => string | undefined {
  const before = new Map(store.list('Node').map((node) => [node.metadata.name, marksOf(node)]));
  store.watch('Node', ({ type, object }) => {
    if (type === 'added') before.set(object.metadata.name, marksOf(object));
  });
  return () => {
    for (const node of store.list('Node')) {
      const known = before.get(node.metadata.name);
      if (known === undefined) continue;
      const left = [...marksOf(node)].find((mark) => !known.has(mark));
      if (left !== undefined) return `${node.metadata.name} still has ${left}`;
    }
    return undefined;
  };
}

function marksOf({ metadata, spec }: NodeObject): ReadonlySet<string> {
  const annotations = Object.keys(metadata.annotations ?? {}).filter((key) => OWN_MARK.test(key));
  const labels = Object.keys(metadata.labels ?? {}).filter((key) => OWN_MARK.test(key));
  const taints = (spec.taints ?? []).filter(({ key }) => !OF_KUBERNETES.test(key));
  return new Set([
    ...annotations.map((key) => `annotation ${key}`),
    ...labels.map((key) => `label ${key}`),
    ...taints.map(({ key, effect }) => `taint ${key}:${effect}`),
  ]);
}
