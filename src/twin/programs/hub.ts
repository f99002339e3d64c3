/**
 * One watch per kind for all programs of a world: a thousand agents that each follow one object must
 * not each hear of every object. Listeners are kept by topic, and let go when a program ends.
 */
import { type KubeObject, objectKey } from '../../model/kubernetes.ts';
import { fabricOf } from '../network/fabric.ts';
import type { Change, Watcher } from '../store/object-store.ts';
import type { World } from '../world.ts';
import type { ObjectOf } from '../store/kinds.ts';

/** `label` topics are `key=value` of these labels only. */
const LABELS = ['k8s-app', 'longhorn.io/component'] as const;

type Topic =
  { readonly name: string } | { readonly label: `${(typeof LABELS)[number]}=${string}` } | 'all';

type Listeners = Set<Watcher<KubeObject>>;

/** The listeners of one kind; a kind that nobody follows by name needs no names put together. */
interface Topics {
  readonly all: Listeners;
  readonly names: Map<string, Listeners>;
  readonly labels: Map<string, Listeners>;
}

export class Hub {
  private readonly world: World;
  private readonly kinds = new Map<string, Topics>();
  private readonly nodeListeners = new Map<string, Set<() => void>>();

  constructor(world: World) {
    this.world = world;
    fabricOf(world).onPathChange((node, podUid) => {
      if (podUid === undefined) this.nodeChanged(node);
    });
  }

  /** Calls the listener for later changes of the topic; returns the way out. */
  follow<K extends string>(kind: K, topic: Topic, listener: Watcher<ObjectOf<K>>): () => void {
    let topics = this.kinds.get(kind);
    if (topics === undefined) {
      topics = { all: new Set(), names: new Map(), labels: new Map() };
      this.kinds.set(kind, topics);
      const own = topics;
      this.world.store.watch<string>(kind, (change) => dispatch(own, change));
    }
    const listeners = listenersOf(topics, topic);
    // The topic's kind fixes the shape of what its listeners are handed.
    const untyped = listener as unknown as Watcher<KubeObject>;
    listeners.add(untyped);
    return () => listeners.delete(untyped);
  }

  /** Called after links, rules or agents of the node changed; `*` for any control plane node. */
  onNodeChange(node: string, listener: () => void): () => void {
    let listeners = this.nodeListeners.get(node);
    if (listeners === undefined) this.nodeListeners.set(node, (listeners = new Set()));
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  private nodeChanged(node: string): void {
    for (const listener of this.nodeListeners.get(node) ?? []) listener();
    if (this.world.nodes.get(node)?.role !== 'control-plane') return;
    for (const listener of this.nodeListeners.get('*') ?? []) listener();
  }
}

const hubs = new WeakMap<World, Hub>();

export function hubOf(world: World): Hub {
  let hub = hubs.get(world);
  if (hub === undefined) hubs.set(world, (hub = new Hub(world)));
  return hub;
}

function listenersOf(topics: Topics, topic: Topic): Listeners {
  if (topic === 'all') return topics.all;
  const index = 'name' in topic ? topics.names : topics.labels;
  const key = 'name' in topic ? topic.name : topic.label;
  let listeners = index.get(key);
  if (listeners === undefined) index.set(key, (listeners = new Set()));
  return listeners;
}

function dispatch({ all, names, labels: byLabel }: Topics, change: Change): void {
  tell(all, change);
  if (names.size > 0) tell(names.get(objectKey(change.object)), change);
  const { labels } = change.object.metadata;
  if (labels === undefined || byLabel.size === 0) return;
  for (const key of LABELS) {
    const value = labels[key];
    if (value !== undefined) tell(byLabel.get(`${key}=${value}`), change);
  }
}

function tell(listeners: Listeners | undefined, change: Change): void {
  if (listeners === undefined) return;
  for (const listener of listeners) listener(change);
}
