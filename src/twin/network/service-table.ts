/**
 * Services and their ready pods, as the EndpointSlice controller has them; what kube-proxy and
 * Cilium program into kernels is a view of this table. Follows the store by watches.
 */
import { groupBy } from '../../base/group-by.ts';
import { objectKey, type PodObject, type ServiceObject } from '../../model/kubernetes.ts';
import type { Change, ObjectStore } from '../store/object-store.ts';
import { type Revisions, RevisionTable, type View } from './revision-table.ts';

export interface Backend {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly hostNetwork: boolean;
}

export interface ServiceEntry {
  readonly service: ServiceObject;
  readonly backends: readonly Backend[];
}

export class ServiceTable {
  private readonly table: RevisionTable<ServiceEntry>;
  private readonly members = new Map<string, Map<string, Backend>>();
  private readonly byNamespace = new Map<string, Map<string, ServiceObject>>();
  private readonly listeners: ((key: string) => void)[] = [];
  private readonly store: ObjectStore;

  constructor(store: ObjectStore, revisions: Revisions) {
    this.store = store;
    this.table = new RevisionTable(revisions);
    const pods = groupBy(store.list('Pod'), (pod) => pod.metadata.namespace ?? '');
    for (const service of store.list('Service')) {
      this.putService(service, pods.get(service.metadata.namespace ?? '') ?? []);
    }
    store.watch('Service', (change) => this.serviceChanged(change));
    store.watch('Pod', (change) => this.podChanged(change));
  }

  get(key: string, view: View): ServiceEntry | undefined {
    return this.table.get(key, view);
  }

  /** Called with `namespace/name` after the service or its backends changed. */
  onChange(listener: (key: string) => void): void {
    this.listeners.push(listener);
  }

  private serviceChanged({ type, object }: Change<ServiceObject>): void {
    const key = objectKey(object);
    if (type !== 'deleted') {
      this.putService(object, this.store.list('Pod', object.metadata.namespace ?? ''));
      return;
    }
    this.byNamespace.get(object.metadata.namespace ?? '')?.delete(key);
    this.members.delete(key);
    this.table.set(key, undefined);
    this.tell(key);
  }

  private putService(service: ServiceObject, pods: readonly PodObject[]): void {
    const key = objectKey(service);
    const namespace = service.metadata.namespace ?? '';
    let services = this.byNamespace.get(namespace);
    if (services === undefined) this.byNamespace.set(namespace, (services = new Map()));
    services.set(key, service);
    const members = new Map<string, Backend>();
    if (service.spec.selector !== undefined) {
      for (const pod of pods) {
        const backend = selects(service, pod) ? backendOf(pod) : undefined;
        if (backend !== undefined) members.set(backend.podUid, backend);
      }
    }
    this.members.set(key, members);
    this.write(key, service, members);
  }

  private podChanged({ type, object }: Change<PodObject>): void {
    const services = this.byNamespace.get(object.metadata.namespace ?? '');
    if (services === undefined) return;
    const backend = type === 'deleted' ? undefined : backendOf(object);
    const uid = object.metadata.uid ?? objectKey(object);
    for (const [key, service] of services) {
      const members = this.members.get(key);
      if (members === undefined) continue;
      const old = members.get(uid);
      if (backend === undefined || !selects(service, object)) {
        if (!members.delete(uid)) continue;
      } else {
        if (old?.ip === backend.ip && old.node === backend.node) continue;
        members.set(uid, backend);
      }
      this.write(key, service, members);
    }
  }

  private write(key: string, service: ServiceObject, members: Map<string, Backend>): void {
    this.table.set(key, { service, backends: [...members.values()] });
    this.tell(key);
  }

  private tell(key: string): void {
    for (const listener of this.listeners) listener(key);
  }
}

function selects(service: ServiceObject, pod: PodObject): boolean {
  const { selector } = service.spec;
  if (selector === undefined) return false;
  const { labels = {} } = pod.metadata;
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** Undefined for a pod that is no endpoint: not ready, terminating, or without an address. */
function backendOf(pod: PodObject): Backend | undefined {
  const { metadata, spec, status } = pod;
  if (spec.nodeName === undefined || status.podIP === undefined) return undefined;
  if (metadata.deletionTimestamp !== undefined || !isReady(pod)) return undefined;
  return {
    podUid: metadata.uid ?? objectKey(pod),
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    node: spec.nodeName,
    ip: status.podIP,
    hostNetwork: spec.hostNetwork === true,
  };
}

export function isReady(pod: PodObject): boolean {
  return (
    pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ===
    true
  );
}
