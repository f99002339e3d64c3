/** Pods in a table: what the STATUS column makes of a pod's containers (printers.go printPod). */
import { listOf, mapOf, numberOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import { AGE, ageOf, type Cell, NAME, nameOf, NONE, type Printer, wide } from './table.ts';

export const podPrinter: Printer = {
  columns: [
    NAME,
    { name: 'Ready' },
    { name: 'Status' },
    { name: 'Restarts' },
    AGE,
    wide('IP'),
    wide('Node'),
    wide('Nominated Node'),
    wide('Readiness Gates'),
  ],
  cells: podCells,
};

function podCells(pod: Tree, now: number): readonly Cell[] {
  const spec = mapOf(pod['spec']);
  const status = mapOf(pod['status']);
  const total = listOf(spec['containers']).length + sidecarsOf(spec).length;
  const seen = summaryOf(pod);
  return [
    nameOf(pod),
    `${seen.ready}/${total}`,
    seen.reason,
    String(seen.restarts),
    ageOf(pod, now),
    textOf(status['podIP']) || NONE,
    textOf(spec['nodeName']) || NONE,
    textOf(status['nominatedNodeName']) || NONE,
    gatesOf(spec, status),
  ];
}

interface Summary {
  readonly reason: string;
  readonly ready: number;
  readonly restarts: number;
}

function summaryOf(pod: Tree): Summary {
  const status = mapOf(pod['status']);
  const gated = listOf(status['conditions']).some(
    (each) =>
      valueAt(each, 'type') === 'PodScheduled' && valueAt(each, 'reason') === 'SchedulingGated',
  );
  const told = textOf(status['reason']) || textOf(status['phase']) || 'Pending';
  const init = initSummary(mapOf(pod['spec']), status);
  if (init.reason !== undefined) {
    return { reason: ending(pod, init.reason), ready: 0, restarts: init.restarts };
  }
  const main = containerSummary(status, gated ? 'SchedulingGated' : told);
  return {
    reason: ending(pod, main.reason),
    ready: main.ready + init.readySidecars,
    restarts: main.restarts + init.sidecarRestarts,
  };
}

function ending(pod: Tree, reason: string): string {
  if (valueAt(pod, 'metadata', 'deletionTimestamp') === undefined) return reason;
  if (valueAt(pod, 'status', 'reason') === 'NodeLost') return 'Unknown';
  const phase = valueAt(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed' ? reason : 'Terminating';
}

interface InitSummary {
  /** Undefined when all are done. */
  readonly reason: string | undefined;
  readonly restarts: number;
  readonly sidecarRestarts: number;
  readonly readySidecars: number;
}

function initSummary(spec: Tree, status: Tree): InitSummary {
  const statuses = listOf(status['initContainerStatuses']).map(mapOf);
  const total = listOf(spec['initContainers']).length;
  const sidecars = new Set(sidecarsOf(spec));
  let restarts = 0;
  let sidecarRestarts = 0;
  let readySidecars = 0;
  for (const [index, each] of statuses.entries()) {
    const isSidecar = sidecars.has(textOf(each['name']));
    const count = numberOf(each['restartCount']) ?? 0;
    restarts += count;
    if (isSidecar) sidecarRestarts += count;
    const terminated = valueAt(each, 'state', 'terminated');
    if (terminated !== undefined && valueAt(terminated, 'exitCode') === 0) continue;
    if (isSidecar && each['started'] === true) {
      if (each['ready'] === true) readySidecars += 1;
      continue;
    }
    const counts = { restarts, sidecarRestarts, readySidecars };
    if (terminated !== undefined) {
      const reason = textOf(valueAt(terminated, 'reason'));
      const code = `ExitCode:${String(valueAt(terminated, 'exitCode'))}`;
      return { reason: `Init:${reason === '' ? code : reason}`, ...counts };
    }
    const waiting = textOf(valueAt(each, 'state', 'waiting', 'reason'));
    const told = waiting !== '' && waiting !== 'PodInitializing';
    return { reason: told ? `Init:${waiting}` : `Init:${index}/${total}`, ...counts };
  }
  return { reason: undefined, restarts, sidecarRestarts, readySidecars };
}

function containerSummary(status: Tree, before: string): Summary {
  let reason = before;
  let ready = 0;
  let restarts = 0;
  let running = false;
  for (const each of listOf(status['containerStatuses']).map(mapOf).toReversed()) {
    restarts += numberOf(each['restartCount']) ?? 0;
    const state = mapOf(each['state']);
    const waiting = textOf(valueAt(state, 'waiting', 'reason'));
    const terminated = state['terminated'];
    if (waiting !== '') reason = waiting;
    else if (terminated !== undefined) {
      const told = textOf(valueAt(terminated, 'reason'));
      reason = told === '' ? `ExitCode:${String(valueAt(terminated, 'exitCode'))}` : told;
    } else if (each['ready'] === true && state['running'] !== undefined) {
      running = true;
      ready += 1;
    }
  }
  if (reason === 'Completed' && running) {
    const isReady = listOf(status['conditions']).some(
      (each) => valueAt(each, 'type') === 'Ready' && valueAt(each, 'status') === 'True',
    );
    reason = isReady ? 'Running' : 'NotReady';
  }
  return { reason, ready, restarts };
}

function sidecarsOf(spec: Tree): readonly string[] {
  return listOf(spec['initContainers'])
    .filter((each) => valueAt(each, 'restartPolicy') === 'Always')
    .map((each) => textOf(valueAt(each, 'name')));
}

function gatesOf(spec: Tree, status: Tree): string {
  const gates = listOf(spec['readinessGates']);
  if (gates.length === 0) return NONE;
  const met = gates.filter((gate) =>
    listOf(status['conditions']).some(
      (each) =>
        valueAt(each, 'type') === valueAt(gate, 'conditionType') &&
        valueAt(each, 'status') === 'True',
    ),
  );
  return `${met.length}/${gates.length}`;
}
