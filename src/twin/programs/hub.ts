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

export class Hub {
  private readonly world: World;
  private readonly kinds = new Map<string, Map<string, Set<Watcher<KubeObject>>>>();
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
      topics = new Map();
      this.kinds.set(kind, topics);
      const own = topics;
      this.world.store.watch<string>(kind, (change) => dispatch(own, change));
    }
    const key = topicKey(topic);
    let listeners = topics.get(key);
    if (listeners === undefined) topics.set(key, (listeners = new Set()));
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

function topicKey(topic: Topic): string {
  if (topic === 'all') return '*';
  return 'name' in topic ? `name ${topic.name}` : `label ${topic.label}`;
}

function dispatch(topics: Map<string, Set<Watcher<KubeObject>>>, change: Change): void {
  tell(topics.get('*'), change);
  tell(topics.get(`name ${objectKey(change.object)}`), change);
  const { labels } = change.object.metadata;
  if (labels === undefined) return;
  for (const key of LABELS) {
    const value = labels[key];
    if (value !== undefined) tell(topics.get(`label ${key}=${value}`), change);
  }
}

function tell(listeners: Set<Watcher<KubeObject>> | undefined, change: Change): void {
  if (listeners === undefined) return;
  for (const listener of listeners) listener(change);
}
