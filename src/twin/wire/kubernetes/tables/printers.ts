/** Which table a kind gets, and the table of a list. */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { mapOf, type Tree } from '../../../../base/json-tree.ts';
import { customPrinter, defaultPrinter } from './custom.ts';
import * as network from './network-and-storage.ts';
import { eventPrinter, namespacePrinter, nodePrinter } from './nodes-and-events.ts';
import { podPrinter } from './pods.ts';
import { columnDefinitions, NAME, type Printer } from './table.ts';
import * as workloads from './workloads.ts';

const PRINTERS: Readonly<Record<string, Printer>> = {
  ConfigMap: network.configMapPrinter,
  CronJob: workloads.cronJobPrinter,
  DaemonSet: workloads.daemonSetPrinter,
  Deployment: workloads.deploymentPrinter,
  Endpoints: network.endpointsPrinter,
  EndpointSlice: network.endpointSlicePrinter,
  Event: eventPrinter,
  Job: workloads.jobPrinter,
  Namespace: namespacePrinter,
  NetworkPolicy: network.networkPolicyPrinter,
  Node: nodePrinter,
  PersistentVolume: network.volumePrinter,
  PersistentVolumeClaim: network.claimPrinter,
  Pod: podPrinter,
  PodDisruptionBudget: workloads.budgetPrinter,
  ReplicaSet: workloads.replicaSetPrinter,
  Secret: network.secretPrinter,
  Service: network.servicePrinter,
  ServiceAccount: network.serviceAccountPrinter,
  StatefulSet: workloads.statefulSetPrinter,
  VolumeAttachment: network.attachmentPrinter,
};

/** These show when they were created, to the second. */
const CREATED_AT: Printer = {
  columns: [NAME, { name: 'Created At' }],
  cells: (object) => {
    const { name, creationTimestamp } = mapOf(object['metadata']);
    return [String(name), String(creationTimestamp)];
  },
};
const WITH_CREATION_TIME = new Set(['CustomResourceDefinition', 'ClusterRole', 'Role']);

function printerOf({ kind, group, storedKind, definition }: Resource): Printer {
  if (definition !== undefined) return customPrinter(definition);
  const isBuiltIn = storedKind === kind && !group.includes('cilium');
  if (isBuiltIn && WITH_CREATION_TIME.has(kind)) return CREATED_AT;
  return (isBuiltIn ? PRINTERS[kind] : undefined) ?? defaultPrinter;
}

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableRequest {
  readonly resource: Resource;
  readonly include: IncludeObject;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The table's JSON; `metadata` is that of the list, or of the object. */
export function tableText(
  { resource, include, now }: TableRequest,
  objects: readonly KubeObject[],
  metadata: Tree,
): string {
  const printer = printerOf(resource);
  const rows = objects.map((object) => {
    const cells = JSON.stringify(printer.cells(mapOf(object), now));
    return `{"cells":${cells}${rowObject(object, include)}}`;
  });
  const head = JSON.stringify({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata });
  const columns = JSON.stringify(columnDefinitions(printer.columns));
  return `${head.slice(0, -1)},"columnDefinitions":${columns},"rows":[${rows.join(',')}]}`;
}

function rowObject(object: KubeObject, include: IncludeObject): string {
  switch (include) {
    case 'None':
      return '';
    case 'Object':
      return `,"object":${JSON.stringify(object)}`;
    case 'Metadata':
      return `,"object":${metadataText(object)}`;
  }
}

const texts = new WeakMap<KubeObject, string>();

/** PartialObjectMetadata: the object without anything but its metadata. */
export function metadataText(object: KubeObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    text = JSON.stringify({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: object.metadata,
    });
    texts.set(object, text);
  }
  return text;
}
