/**
 * Read objects into the twin's store: as they are, without what a twin makes itself, with times
 * moved so that the newest of them is the start, and with owners put in place that were not read.
 */
import type { ReadObject } from '../../model/cluster-input.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { missingFlannelConfig } from './missing-flannel-config.ts';
import { missingOwners } from './missing-owners.ts';
import { missingDnsService } from './missing-services.ts';

/** Kinds whose name other API groups use too; only the core one is the cluster's. */
const CORE_GROUPS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  DaemonSet: 'apps/v1',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  Node: 'v1',
  PersistentVolume: 'v1',
  PersistentVolumeClaim: 'v1',
  Pod: 'v1',
  PodDisruptionBudget: 'policy/v1',
  ReplicaSet: 'apps/v1',
  Secret: 'v1',
  Service: 'v1',
  ServiceAccount: 'v1',
  StatefulSet: 'apps/v1',
  VolumeAttachment: 'storage.k8s.io/v1',
};

/** What the twin keeps or computes itself, or what nothing on it reads. */
const LEFT_OUT = new Set([
  'Event',
  'Lease',
  'Endpoints',
  'EndpointSlice',
  'ControllerRevision',
  'PodMetrics',
  'NodeMetrics',
]);

export function loadObjects(
  store: ObjectStore,
  input: readonly ReadObject[],
): readonly Assumption[] {
  const objects = wanted(input);
  const shift = timeShift(objects, Date.parse(store.timestamp()));
  const { owners, assumptions } = missingOwners(objects);
  const flannel = missingFlannelConfig(objects);
  const dns = missingDnsService(objects);
  for (const object of [...objects, ...owners, ...flannel.objects, ...dns.objects])
    store.create(shift(object));
  return [...assumptions, ...flannel.assumptions, ...dns.assumptions];
}

/** One of each name: a later reading replaces an earlier one. */
function wanted(input: readonly ReadObject[]): readonly KubeObject[] {
  const byKey = new Map<string, KubeObject>();
  for (const { object } of input) {
    const { kind, apiVersion, metadata } = object;
    if (LEFT_OUT.has(kind)) continue;
    const core = CORE_GROUPS[kind];
    if (core !== undefined && core !== apiVersion) continue;
    byKey.set(`${kind} ${metadata.namespace ?? ''}/${metadata.name}`, object);
  }
  return [...byKey.values()];
}

/** Ages stay; the newest moment that was read becomes the start of virtual time. */
function timeShift(
  objects: readonly KubeObject[],
  start: number,
): (object: KubeObject) => KubeObject {
  let newest = -Infinity;
  for (const { metadata } of objects) {
    const time = Date.parse(metadata.creationTimestamp ?? '');
    if (time > newest) newest = time;
  }
  const moved = new Map<string, string>();
  const move = (text: string): string => {
    let result = moved.get(text);
    if (result === undefined) {
      const time = Date.parse(text);
      // Later than the newest creation is only clock noise.
      result = new Date(start + Math.min(0, Number.isNaN(time) ? 0 : time - newest))
        .toISOString()
        .replace('.000Z', 'Z');
      moved.set(text, result);
    }
    return result;
  };
  return (object) => moveTimes(object, move);
}

function moveTimes(object: KubeObject, move: (text: string) => string): KubeObject {
  const { metadata } = object;
  const { creationTimestamp, deletionTimestamp } = metadata;
  const shifted = {
    ...object,
    metadata: {
      ...metadata,
      ...(creationTimestamp === undefined ? {} : { creationTimestamp: move(creationTimestamp) }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp: move(deletionTimestamp) }),
    },
  };
  if (object.kind !== 'Pod') return shifted;
  const { status } = object as PodObject; // the kind says so
  if (status?.startTime === undefined) return shifted;
  const moved: PodObject = {
    ...(object as PodObject),
    metadata: shifted.metadata,
    status: { ...status, startTime: move(status.startTime) },
  };
  return moved;
}
