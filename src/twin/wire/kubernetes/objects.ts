/**
 * The twin's objects as the API shows them: what the store holds, and what the twin keeps beside it
 * (events, node leases, endpoints), in the order of their keys. An object's text is made once.
 */
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { World } from '../../world.ts';
import { nodeLeaseOf, nodeLeasesShown, NODE_LEASE_NAMESPACE } from './derived/node-leases.ts';
import { endpointsOf } from './derived/endpoints.ts';
import { asShown } from './derived/shown.ts';
import { EventHistory } from './event-history.ts';
import type { History } from './history.ts';
import type { Resource } from './resources.ts';

export class WireObjects {
  readonly world: World;
  private readonly shown = new WeakMap<KubeObject, KubeObject>();
  private readonly texts = new WeakMap<KubeObject, string>();

  private readonly events: EventHistory;

  constructor(world: World, history: History) {
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

  /** As stored, ordered by namespace and name. */
  list(resource: Resource, namespace?: string): readonly KubeObject[] {
    const all = this.unordered(resource, namespace);
    return all.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
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

/** In the order in which the API server lists: by namespace, then by name. */
export function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}\u0000${metadata.name}`;
}
