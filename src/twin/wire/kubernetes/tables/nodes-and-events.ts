/** Nodes, namespaces and events in a table. */
import { listOf, mapOf, numberOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import {
  AGE,
  ageOf,
  ageSince,
  type Cell,
  NAME,
  nameOf,
  NONE,
  type Printer,
  UNKNOWN,
  wide,
} from './table.ts';

export const nodePrinter: Printer = {
  columns: [
    NAME,
    { name: 'Status' },
    { name: 'Roles' },
    AGE,
    { name: 'Version' },
    wide('Internal-IP'),
    wide('External-IP'),
    wide('OS-Image'),
    wide('Kernel-Version'),
    wide('Container-Runtime'),
  ],
  cells: nodeCells,
};

function nodeCells(node: Tree, now: number): readonly Cell[] {
  const info = mapOf(valueAt(node, 'status', 'nodeInfo'));
  const ready = listOf(valueAt(node, 'status', 'conditions')).find(
    (each) => valueAt(each, 'type') === 'Ready',
  );
  const state =
    ready === undefined ? 'Unknown' : valueAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  const cordoned = valueAt(node, 'spec', 'unschedulable') === true;
  return [
    nameOf(node),
    cordoned ? `${state},SchedulingDisabled` : state,
    rolesOf(node),
    ageOf(node, now),
    textOf(info['kubeletVersion']),
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    textOf(info['osImage']) || UNKNOWN,
    textOf(info['kernelVersion']) || UNKNOWN,
    textOf(info['containerRuntimeVersion']) || UNKNOWN,
  ];
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function rolesOf(node: Tree): string {
  const roles = Object.entries(mapOf(valueAt(node, 'metadata', 'labels'))).flatMap(
    ([key, value]) => {
      if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
      return key === 'kubernetes.io/role' && value !== '' ? [String(value)] : [];
    },
  );
  return roles.length === 0 ? NONE : [...new Set(roles)].toSorted().join(',');
}

function addressOf(node: Tree, type: string): string {
  const found = listOf(valueAt(node, 'status', 'addresses')).find(
    (each) => valueAt(each, 'type') === type,
  );
  return textOf(valueAt(found, 'address')) || NONE;
}

export const namespacePrinter: Printer = {
  columns: [NAME, { name: 'Status' }, AGE],
  cells: (object, now) => [
    nameOf(object),
    textOf(valueAt(object, 'status', 'phase')),
    ageOf(object, now),
  ],
};

export const eventPrinter: Printer = {
  columns: [
    { name: 'Last Seen' },
    { name: 'Type' },
    { name: 'Reason' },
    { name: 'Object' },
    wide('Subobject'),
    wide('Source'),
    { name: 'Message' },
    wide('First Seen'),
    wide('Count', 'integer'),
    { ...wide('Name'), format: 'name' },
  ],
  cells: (event, now) => {
    const involved = mapOf(event['involvedObject'] ?? event['regarding']);
    const source = mapOf(event['source'] ?? event['deprecatedSource']);
    const host = textOf(source['host']);
    const first = textOf(event['firstTimestamp'] ?? event['deprecatedFirstTimestamp']);
    const last = textOf(event['lastTimestamp'] ?? event['deprecatedLastTimestamp']) || first;
    return [
      ageSince(last, now),
      textOf(event['type']),
      textOf(event['reason']),
      `${textOf(involved['kind']).toLowerCase()}/${textOf(involved['name'])}`,
      textOf(involved['fieldPath']),
      host === '' ? textOf(source['component']) : `${textOf(source['component'])}, ${host}`,
      textOf(event['message'] ?? event['note']).trim(),
      ageSince(first, now),
      numberOf(event['count'] ?? event['deprecatedCount']) ?? 1,
      nameOf(event),
    ];
  },
};
