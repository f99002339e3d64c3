/** The EndpointSlice controller: per Service, the addresses of its pods that are ready. */
import {
  type KubeObject,
  objectKey,
  type PodObject,
  type ServiceObject,
} from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';
import type { Change } from '../store/object-store.ts';
import { POD_COUNT, POD_PART } from '../store/pod-changes.ts';
import type { World } from '../world.ts';
import { SelectorIndex } from './selector-index.ts';
import { splitKey, WorkQueue } from './work-queue.ts';

export interface EndpointSliceObject extends KubeObject {
  readonly kind: 'EndpointSlice';
  readonly addressType: 'IPv4' | 'IPv6';
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly {
    readonly name?: string;
    readonly port?: number;
    readonly protocol?: string;
  }[];
}

export interface Endpoint {
  readonly addresses: readonly [string];
  readonly conditions: { readonly ready: boolean };
  readonly nodeName?: string;
  readonly targetRef: {
    readonly kind: 'Pod';
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
  };
}

/** Most changes of a pod say nothing to a Service: they need not look for those that select it. */
const ENDPOINT = POD_COUNT | POD_PART.labels | POD_PART.node | POD_PART.podIp;

export class EndpointsController {
  private readonly world: World;
  private readonly queue: WorkQueue;
  private readonly services = new SelectorIndex<string>();
  /** Per service, its endpoints by pod name. */
  private readonly members = new Map<string, Map<string, Endpoint>>();

  constructor(world: World) {
    this.world = world;
    this.queue = new WorkQueue(world, (key) => this.sync(key));
    const { store } = world;
    for (const service of store.list('Service')) this.put(service);
    for (const pod of store.list('Pod')) this.podChanged({ type: 'added', object: pod });
    store.watch('Service', (change) => this.serviceChanged(change));
    store.watchPods({ parts: ENDPOINT }, (change) => this.podChanged(change));
  }

  private put(service: ServiceObject): void {
    const { selector } = service.spec;
    const key = objectKey(service);
    if (selector === undefined) return;
    this.services.set(key, service.metadata.namespace ?? 'default', { matchLabels: selector }, key);
    if (!this.members.has(key)) this.members.set(key, new Map());
    this.queue.add(key);
  }

  private serviceChanged({ type, object, old }: Change<ServiceObject>): void {
    const key = objectKey(object);
    if (type === 'deleted') {
      this.services.delete(key);
      this.members.delete(key);
      const { namespace, name } = splitKey(key);
      this.world.store.delete('EndpointSlice', namespace, name);
      return;
    }
    if (type === 'modified' && old?.spec === object.spec) return;
    this.members.delete(key);
    this.put(object);
    for (const pod of this.world.store.list('Pod', object.metadata.namespace ?? 'default')) {
      this.podChanged({ type: 'added', object: pod });
    }
  }

  private podChanged({ type, object, old: before }: Change<PodObject>): void {
    const { namespace = 'default', name, labels } = object.metadata;
    const endpoint = type === 'deleted' ? undefined : endpointOf(object);
    if (type === 'modified' && before !== undefined && labels === before.metadata.labels) {
      const past = endpointOf(before);
      if (past === undefined ? endpoint === undefined : isSame(past, endpoint)) return;
    }
    const services = this.services.matching(namespace, labels);
    for (const key of services) {
      const members = this.members.get(key);
      if (members === undefined) continue;
      const old = members.get(name);
      if (endpoint === undefined) {
        if (!members.delete(name)) continue;
      } else {
        if (old !== undefined && isSame(old, endpoint)) continue;
        members.set(name, endpoint);
      }
      this.queue.add(key);
    }
  }

  private sync(key: string): void {
    const { namespace, name } = splitKey(key);
    const { store } = this.world;
    const service = store.get('Service', namespace, name);
    const members = this.members.get(key);
    if (service === undefined || members === undefined) return;
    const slice = sliceOf(service, [...members.values()]);
    if (store.get('EndpointSlice', namespace, name) === undefined) store.create(slice);
    else {
      store.update('EndpointSlice', namespace, name, (old) => ({
        ...slice,
        metadata: old.metadata,
      }));
    }
  }
}

/** Undefined for a pod without an address, or one that is going away or through. */
function endpointOf(pod: PodObject): Endpoint | undefined {
  const { podIP, phase } = pod.status;
  const { namespace = 'default', name, uid = '', deletionTimestamp } = pod.metadata;
  if (podIP === undefined || deletionTimestamp !== undefined) return undefined;
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  return {
    addresses: [podIP],
    conditions: { ready: isPodReady(pod) },
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function isSame(left: Endpoint, right: Endpoint | undefined): boolean {
  return (
    right !== undefined &&
    left.addresses[0] === right.addresses[0] &&
    left.conditions.ready === right.conditions.ready &&
    left.targetRef.uid === right.targetRef.uid
  );
}

/**
 * One slice per Service, by the Service's name. A real cluster cuts them at a hundred endpoints; that
 * changes how many objects a change writes, not which backends anybody sees, so here nothing is cut.
 */
function sliceOf(service: ServiceObject, endpoints: readonly Endpoint[]): EndpointSliceObject {
  const { namespace = 'default', name, uid = '' } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      labels: { 'kubernetes.io/service-name': name },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true }],
    },
    addressType: endpoints[0]?.addresses[0].includes(':') === true ? 'IPv6' : 'IPv4',
    endpoints,
    ports: (service.spec.ports ?? []).map((port) => ({
      ...(port.name === undefined ? {} : { name: port.name }),
      port: typeof port.targetPort === 'number' ? port.targetPort : port.port,
      ...(port.protocol === undefined ? {} : { protocol: port.protocol }),
    })),
  };
}
