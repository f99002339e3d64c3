/**
 * The twin's objects as the API shows them: what the store holds, and what the twin keeps beside it
 * (events, node leases, endpoints), in the order of their keys. An object's text is made once.
 */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import type { World } from '../../../world.ts';
import { nodeLeaseOf, nodeLeasesShown, NODE_LEASE_NAMESPACE } from './derived/node-leases.ts';
import { endpointsOf } from './derived/endpoints.ts';
import { asShown } from './derived/shown.ts';
import { EventHistory } from './event-history.ts';
import type { ChangeHistory } from '../../../store/change-history.ts';
import type { Resource } from '../../../api/served-resources.ts';

export class WireObjects {
  readonly world: World;
  private readonly shown = new WeakMap<KubeObject, KubeObject>();
  private readonly texts = new WeakMap<KubeObject, string>();
  private readonly lists = new Map<string, { readonly version: number; readonly list: Ordered }>();

  private readonly events: EventHistory;

  constructor(world: World, history: ChangeHistory) {
    this.world = world;
    this.events = new EventHistory(world, history.keep('Event', 0));
  }

  /** The version of what `list` returns now. */
  versionOf({ kind }: Resource): number {
    return kind === 'Event' ? this.events.resourceVersion : this.world.store.resourceVersion;
  }

  /** As stored; undefined when there is none. */
  get(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    const { store } = this.world;
    const stored = store.get<string>(resource.storedKind, namespace, name);
    if (stored !== undefined) return stored;
    switch (resource.kind) {
      case 'Event':
        return this.events.list(namespace).find(({ metadata }) => metadata.name === name);
      case 'Lease':
        return namespace === NODE_LEASE_NAMESPACE ? nodeLeaseOf(this.world, name) : undefined;
      case 'Endpoints': {
        const slice = store.get<string>('EndpointSlice', namespace, name);
        return slice === undefined ? undefined : endpointsOf(slice);
      }
      default:
        return undefined;
    }
  }

  /** As stored, ordered by namespace and name; put in order once for all pages of a list. */
  list(resource: Resource, namespace?: string): Ordered {
    const key = `${resource.storedKind} ${namespace ?? ''}`;
    const known = this.lists.get(key);
    const version = this.versionOf(resource);
    if (known?.version === version && !isTimed(resource)) return known.list;
    const list = ordered(this.unordered(resource, namespace));
    if (this.lists.size >= LISTS_KEPT) this.lists.clear();
    this.lists.set(key, { version, list });
    return list;
  }

  private unordered(resource: Resource, namespace?: string): readonly KubeObject[] {
    const { store } = this.world;
    const stored = store.list<string>(resource.storedKind, namespace);
    switch (resource.kind) {
      case 'Event':
        return this.events.list(namespace);
      case 'Lease':
        return [...stored, ...nodeLeasesShown(this.world, namespace)];
      case 'Endpoints': {
        const known = new Set(stored.map(keyOf));
        const derived = store.list<string>('EndpointSlice', namespace).map(endpointsOf);
        return [...stored, ...derived.filter((each) => !known.has(keyOf(each)))];
      }
      default:
        return stored;
    }
  }

  /** As the version asked for shows it. */
  show(resource: Resource, object: KubeObject): KubeObject {
    const known = this.shown.get(object);
    if (known?.apiVersion === resource.apiVersion) return known;
    const shown = asShown(resource, object, this.world);
    this.shown.set(object, shown);
    return shown;
  }

  /** JSON of what `show` returns. */
  text(resource: Resource, object: KubeObject): string {
    const shown = this.show(resource, object);
    let text = this.texts.get(shown);
    if (text === undefined) this.texts.set(shown, (text = JSON.stringify(shown)));
    return text;
  }
}

/** Objects with their keys, in the order of these. */
export interface Ordered {
  readonly items: readonly KubeObject[];
  readonly keys: readonly string[];
}

export function ordered(objects: readonly KubeObject[]): Ordered {
  const entries = objects
    .map((object) => ({ key: keyOf(object), object }))
    .toSorted((left, right) => (left.key < right.key ? -1 : 1));
  return { items: entries.map(({ object }) => object), keys: entries.map(({ key }) => key) };
}

/** Lists that are kept in order at the same time. */
const LISTS_KEPT = 64;

/** What such a kind shows changes with time, without a change in the store. */
function isTimed({ kind }: Resource): boolean {
  return kind === 'Event' || kind === 'Lease';
}

/** In the order in which the API server lists: by namespace, then by name. */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}\u0000${metadata.name}`;
}
