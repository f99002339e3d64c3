/** Workloads in a table (printers.go printDeployment, printDaemonSet, …). */
import { listOf, mapOf, numberOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import {
  AGE,
  ageOf,
  ageSince,
  humanDuration,
  NAME,
  nameOf,
  NONE,
  type Printer,
  labelsText,
  selectorText,
  wide,
} from './table.ts';

const CONTAINERS = [wide('Containers'), wide('Images'), wide('Selector')];

function containersOf(object: Tree): readonly [string, string] {
  const containers = listOf(valueAt(object, 'spec', 'template', 'spec', 'containers'));
  return [
    containers.map((each) => textOf(valueAt(each, 'name'))).join(','),
    containers.map((each) => textOf(valueAt(each, 'image'))).join(','),
  ];
}

function counter(object: Tree, part: 'spec' | 'status', name: string, otherwise = 0): number {
  return numberOf(valueAt(object, part, name)) ?? otherwise;
}

function selectorOf(object: Tree): string {
  return selectorText(valueAt(object, 'spec', 'selector'));
}

export const deploymentPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Ready' },
    { name: 'Up-to-date', type: 'integer' },
    { name: 'Available', type: 'integer' },
    AGE,
    ...CONTAINERS,
  ],
  cells: (object, now) => [
    nameOf(object),
    `${counter(object, 'status', 'readyReplicas')}/${counter(object, 'spec', 'replicas', 1)}`,
    counter(object, 'status', 'updatedReplicas'),
    counter(object, 'status', 'availableReplicas'),
    ageOf(object, now),
    ...containersOf(object),
    selectorOf(object),
  ],
};

export const replicaSetPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Desired', type: 'integer' },
    { name: 'Current', type: 'integer' },
    { name: 'Ready', type: 'integer' },
    AGE,
    ...CONTAINERS,
  ],
  cells: (object, now) => [
    nameOf(object),
    counter(object, 'spec', 'replicas', 1),
    counter(object, 'status', 'replicas'),
    counter(object, 'status', 'readyReplicas'),
    ageOf(object, now),
    ...containersOf(object),
    selectorOf(object),
  ],
};

export const daemonSetPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Desired', type: 'integer' },
    { name: 'Current', type: 'integer' },
    { name: 'Ready', type: 'integer' },
    { name: 'Up-to-date', type: 'integer' },
    { name: 'Available', type: 'integer' },
    { name: 'Node Selector' },
    AGE,
    ...CONTAINERS,
  ],
  cells: (object, now) => [
    nameOf(object),
    counter(object, 'status', 'desiredNumberScheduled'),
    counter(object, 'status', 'currentNumberScheduled'),
    counter(object, 'status', 'numberReady'),
    counter(object, 'status', 'updatedNumberScheduled'),
    counter(object, 'status', 'numberAvailable'),
    labelsText(valueAt(object, 'spec', 'template', 'spec', 'nodeSelector')),
    ageOf(object, now),
    ...containersOf(object),
    selectorOf(object),
  ],
};

export const statefulSetPrinter: Printer = {
  columns: [NAME, { name: 'Ready' }, AGE, wide('Containers'), wide('Images')],
  cells: (object, now) => [
    nameOf(object),
    `${counter(object, 'status', 'readyReplicas')}/${counter(object, 'spec', 'replicas', 1)}`,
    ageOf(object, now),
    ...containersOf(object),
  ],
};

export const jobPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Status' },
    { name: 'Completions' },
    { name: 'Duration' },
    AGE,
    ...CONTAINERS,
  ],
  cells: (object, now) => {
    const conditions = listOf(valueAt(object, 'status', 'conditions')).map(mapOf);
    const holds = (type: string): boolean =>
      conditions.some((each) => each['type'] === type && each['status'] === 'True');
    const status = holds('Complete') ? 'Complete' : holds('Failed') ? 'Failed' : 'Running';
    const start = textOf(valueAt(object, 'status', 'startTime'));
    const end = Date.parse(textOf(valueAt(object, 'status', 'completionTime')));
    return [
      nameOf(object),
      status,
      `${counter(object, 'status', 'succeeded')}/${counter(object, 'spec', 'completions', 1)}`,
      start === ''
        ? ''
        : humanDuration(((Number.isNaN(end) ? now : end) - Date.parse(start)) / 1000),
      ageOf(object, now),
      ...containersOf(object),
      selectorOf(object),
    ];
  },
};

export const cronJobPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Schedule' },
    { name: 'Timezone' },
    { name: 'Suspend' },
    { name: 'Active', type: 'integer' },
    { name: 'Last Schedule' },
    AGE,
  ],
  cells: (object, now) => {
    const last = textOf(valueAt(object, 'status', 'lastScheduleTime'));
    return [
      nameOf(object),
      textOf(valueAt(object, 'spec', 'schedule')),
      textOf(valueAt(object, 'spec', 'timeZone')) || NONE,
      valueAt(object, 'spec', 'suspend') === true ? 'True' : 'False',
      listOf(valueAt(object, 'status', 'active')).length,
      last === '' ? NONE : ageSince(last, now),
      ageOf(object, now),
    ];
  },
};

export const budgetPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Min Available' },
    { name: 'Max Unavailable' },
    { name: 'Allowed Disruptions', type: 'integer' },
    AGE,
  ],
  cells: (object, now) => [
    nameOf(object),
    countOrNone(valueAt(object, 'spec', 'minAvailable')),
    countOrNone(valueAt(object, 'spec', 'maxUnavailable')),
    counter(object, 'status', 'disruptionsAllowed'),
    ageOf(object, now),
  ],
};

function countOrNone(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : 'N/A';
}
