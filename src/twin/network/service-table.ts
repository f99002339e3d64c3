/**
 * Services and their ready pods, as the EndpointSlice controller has them; what kube-proxy and
 * Cilium program into kernels is a view of this table. Follows the store by watches.
 */
import { groupBy } from '../../base/group-by.ts';
import { objectKey, type PodObject, type ServiceObject } from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Change, ObjectStore } from '../store/object-store.ts';
import { POD_PART } from '../store/pod-changes.ts';
import { type Revisions, RevisionTable, type View } from './revision-table.ts';
import { NO_CAUSES } from './verdict.ts';

export const DNS_SERVICE = 'kube-system/kube-dns';

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
  /** Why there is no backend; empty while there is one, or when there never was. */
  readonly emptied: readonly OccurrenceId[];
}

/** `key` is `namespace/name`; `left` the UIDs of backends that left, undefined when any may have. */
export type ServiceListener = (key: string, left: readonly string[] | undefined) => void;

const NOBODY: readonly string[] = [];

/** What makes a pod a backend, or another one. */
const BACKEND =
  POD_PART.podIp | POD_PART.node | POD_PART.labels | POD_PART.deletion | POD_PART.ready;

export class ServiceTable {
  private readonly table: RevisionTable<ServiceEntry>;
  private readonly members = new Map<string, Map<string, Backend>>();
  /** Services by namespace and one pair of their selector: a pod has few labels, a cluster many services. */
  private readonly byPair = new Map<string, Map<string, ServiceObject>>();
  private readonly pairs = new Map<string, string>();
  /** The services a pod is behind now, so that a change of its labels takes it out again. */
  private readonly servicesOf = new Map<string, Set<string>>();
  private readonly listeners: ServiceListener[] = [];
  private readonly kernel: Kernel;
  private readonly store: ObjectStore;

  constructor(kernel: Kernel, store: ObjectStore, revisions: Revisions) {
    this.kernel = kernel;
    this.store = store;
    this.table = new RevisionTable(revisions);
    const pods = groupBy(store.list('Pod'), (pod) => pod.metadata.namespace ?? '');
    for (const service of store.list('Service')) {
      this.putService(service, pods.get(service.metadata.namespace ?? '') ?? []);
    }
    store.watch('Service', (change) => this.serviceChanged(change));
    store.watchPods({ parts: BACKEND }, (change) => this.podChanged(change));
  }

  get(key: string, view: View): ServiceEntry | undefined {
    return this.table.get(key, view);
  }

  /** Called after the service or its backends changed. */
  onChange(listener: ServiceListener): void {
    this.listeners.push(listener);
  }

  private serviceChanged({ type, object }: Change<ServiceObject>): void {
    const key = objectKey(object);
    if (type !== 'deleted') {
      this.putService(object, this.store.list('Pod', object.metadata.namespace ?? ''));
      return;
    }
    this.unindex(key);
    this.members.delete(key);
    this.table.set(key, undefined);
    this.tell(key);
  }

  private putService(service: ServiceObject, pods: readonly PodObject[]): void {
    const key = objectKey(service);
    const namespace = service.metadata.namespace ?? '';
    this.unindex(key);
    const pair = pairOf(service, namespace);
    if (pair !== undefined) {
      let services = this.byPair.get(pair);
      if (services === undefined) this.byPair.set(pair, (services = new Map()));
      services.set(key, service);
      this.pairs.set(key, pair);
    }
    const members = new Map<string, Backend>();
    if (service.spec.selector !== undefined) {
      for (const pod of pods) {
        const backend = selects(service, pod) ? backendOf(pod) : undefined;
        if (backend === undefined) continue;
        members.set(backend.podUid, backend);
        const behind = this.servicesOf.get(backend.podUid);
        if (behind === undefined) this.servicesOf.set(backend.podUid, new Set([key]));
        else behind.add(key);
      }
    }
    this.members.set(key, members);
    this.write(key, service, members);
  }

  private podChanged({ type, object, old }: Change<PodObject>): void {
    const backend = type === 'deleted' ? undefined : backendOf(object);
    if (type === 'modified' && old !== undefined && isSameBackend(object, old, backend)) return;
    const uid = object.metadata.uid ?? objectKey(object);
    const behind = new Set<string>();
    if (backend !== undefined) {
      for (const service of this.selecting(object)) behind.add(this.enter(service, backend));
    }
    for (const key of this.servicesOf.get(uid) ?? []) if (!behind.has(key)) this.leave(key, uid);
    if (behind.size === 0) this.servicesOf.delete(uid);
    else this.servicesOf.set(uid, behind);
  }

  private *selecting(pod: PodObject): Iterable<ServiceObject> {
    const { labels = {}, namespace = '' } = pod.metadata;
    for (const label in labels) {
      for (const service of this.byPair
        .get(`${namespace} ${label}=${labels[label] ?? ''}`)
        ?.values() ?? []) {
        if (selects(service, pod)) yield service;
      }
    }
  }

  private enter(service: ServiceObject, backend: Backend): string {
    const key = objectKey(service);
    const members = this.members.get(key);
    const old = members?.get(backend.podUid);
    if (members === undefined || (old?.ip === backend.ip && old.node === backend.node)) return key;
    members.set(backend.podUid, backend);
    this.write(key, service, members, NOBODY);
    return key;
  }

  private leave(key: string, uid: string): void {
    const members = this.members.get(key);
    const entry = this.table.get(key, undefined);
    if (members?.delete(uid) === true && entry !== undefined)
      this.write(key, entry.service, members, [uid]);
  }

  private unindex(key: string): void {
    const pair = this.pairs.get(key);
    if (pair === undefined) return;
    this.pairs.delete(key);
    this.byPair.get(pair)?.delete(key);
  }

  private write(
    key: string,
    service: ServiceObject,
    members: Map<string, Backend>,
    left?: readonly string[],
  ): void {
    const emptied = members.size === 0 ? this.whyEmpty(key) : NO_CAUSES;
    this.table.set(key, { service, backends: [...members.values()], emptied });
    this.tell(key, left);
  }

  /** The change that took the last backend; for DNS it is told, since every name hangs on it. */
  private whyEmpty(key: string): readonly OccurrenceId[] {
    const before = this.table.get(key, undefined);
    if (before?.backends.length === 0) return before.emptied;
    const { kernel } = this;
    if (key !== DNS_SERVICE || before === undefined) return kernel.causes;
    const { namespace = '', name } = before.service.metadata;
    return [
      kernel.because(kernel.causes, () =>
        kernel.occur('dns.no-ready-server', {
          subject: { kind: 'Service', namespace, name },
          message: `no pod behind Service ${key} is ready: no name is resolved in the cluster`,
        }),
      ),
    ];
  }

  private tell(key: string, left?: readonly string[]): void {
    for (const listener of this.listeners) listener(key, left);
  }
}

/** The first pair of the selector; undefined for a service that selects nothing. */
function pairOf({ spec }: ServiceObject, namespace: string): string | undefined {
  const [first] = Object.entries(spec.selector ?? {});
  return first === undefined ? undefined : `${namespace} ${first[0]}=${first[1]}`;
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

/** It is behind the same services as before, or behind none. */
function isSameBackend(pod: PodObject, old: PodObject, backend: Backend | undefined): boolean {
  if (pod.metadata.labels !== old.metadata.labels) return false;
  const before = backendOf(old);
  return before?.ip === backend?.ip && before?.node === backend?.node;
}

export function isReady(pod: PodObject): boolean {
  // A loop: every change of every pod is asked this several times.
  for (const { type, status } of pod.status.conditions ?? [])
    if (type === 'Ready') return status === 'True';
  return false;
}
