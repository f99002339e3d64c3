/** FM-57: the pods of a drained node do not fit on the others. */
import { parseQuantity } from '../../base/quantity.ts';
import type { ClusterFacts, NodeFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { controllerOf } from '../../model/kubernetes.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'no-room-to-evict',
  covers: ['FM-57'],
  title: 'The pods of a drained node have nowhere to go',
  severity: 'high',
  holdsFor: 'every distribution; strategies that drain nodes',
  why: 'A drain evicts the pods of a node and the scheduler places them on others by what they request. With one node, or with less room on the others than the node holds, they stay Pending until the node is back: an outage as long as its step.',
  references: ['projectcalico/calico#5074', 'projectcalico/calico#3452'],
  foretell,
  signs: { occurrences: ['scheduler.no-room'] },
};

type Resource = 'cpu' | 'memory';
type Amounts = Readonly<Record<Resource, number>>;

interface Load {
  readonly node: NodeFacts;
  readonly free: Amounts;
  /** Requests of pods that a drain evicts. */
  readonly evicted: Amounts;
  readonly tainted: boolean;
}

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const nodes = facts.nodes.value;
  if (nodes.length === 1) return judged([alone(nodes[0])]);
  if (facts.workloads.pods.length === 0) return unjudged(MISSING.pods);
  const loads = loadsOf(nodes, facts);
  if (loads === undefined) return unjudged('what the nodes can allocate (Node.status.allocatable)');
  const found = (['cpu', 'memory'] as const).flatMap((resource) => worst(loads, resource));
  return judged(found);
}

function alone(node: NodeFacts | undefined): Finding {
  return finding(hazard, {
    certainty: 'proven',
    message:
      'The cluster has one node. A drain evicts its pods, none of them can be placed anywhere else, and they are down until the node is uncordoned.',
    evidence: node === undefined ? [] : [evidenceAt(node.source)],
    fix: {
      summary: 'Use the strategy that restarts sandboxes in place, without a drain.',
    },
  });
}

/** Undefined when a node does not tell what it can allocate. */
function loadsOf(nodes: readonly NodeFacts[], facts: ClusterFacts): readonly Load[] | undefined {
  const sums = requestsByNode(facts);
  const loads: Load[] = [];
  for (const node of nodes) {
    const { allocatable } = node.object.status;
    const cpu = parseQuantity(allocatable?.['cpu']);
    const memory = parseQuantity(allocatable?.['memory']);
    if (cpu === undefined || memory === undefined) return undefined;
    const { used, evicted } = sums.get(node.name) ?? { used: NOTHING, evicted: NOTHING };
    const taints = node.object.spec.taints ?? [];
    loads.push({
      node,
      free: node.unschedulable
        ? NOTHING
        : { cpu: Math.max(0, cpu - used.cpu), memory: Math.max(0, memory - used.memory) },
      evicted,
      tainted: taints.some(({ effect }) => effect !== 'PreferNoSchedule'),
    });
  }
  return loads;
}

const NOTHING: Amounts = { cpu: 0, memory: 0 };

interface Requests {
  readonly used: Amounts;
  readonly evicted: Amounts;
}

function requestsByNode(facts: ClusterFacts): ReadonlyMap<string, Requests> {
  const sums = new Map<string, Requests>();
  for (const { value } of facts.workloads.pods) {
    const { nodeName } = value.spec;
    const { phase } = value.status;
    if (nodeName === undefined || phase === 'Succeeded' || phase === 'Failed') continue;
    const own = requestsOf(value);
    const { used, evicted } = sums.get(nodeName) ?? { used: NOTHING, evicted: NOTHING };
    sums.set(nodeName, {
      used: add(used, own),
      evicted: isEvicted(value) ? add(evicted, own) : evicted,
    });
  }
  return sums;
}

function add(left: Amounts, right: Amounts): Amounts {
  return { cpu: left.cpu + right.cpu, memory: left.memory + right.memory };
}

/** A drain leaves the pods of DaemonSets and static pods alone. */
function isEvicted(pod: PodObject): boolean {
  const kind = controllerOf(pod)?.kind;
  return kind !== 'DaemonSet' && kind !== 'Node';
}

function requestsOf({ spec }: PodObject): Amounts {
  let sum = NOTHING;
  for (const { resources } of spec.containers) {
    if (resources?.requests === undefined) continue;
    const { cpu, memory } = resources.requests;
    sum = add(sum, { cpu: parseQuantity(cpu) ?? 0, memory: parseQuantity(memory) ?? 0 });
  }
  return sum;
}

/** The node that lacks most room; tainted nodes take no ordinary pods, so without them it is likely. */
function worst(loads: readonly Load[], resource: Resource): readonly Finding[] {
  const total = sumFree(loads, resource, true);
  const open = sumFree(loads, resource, false);
  let found: { load: Load; lacking: number; proven: boolean } | undefined;
  for (const load of loads) {
    const others = open - (load.tainted ? 0 : load.free[resource]);
    const all = total - load.free[resource];
    const lacking = load.evicted[resource] - (load.tainted ? all : others);
    if (lacking <= 0 || lacking <= (found?.lacking ?? 0)) continue;
    found = { load, lacking, proven: load.evicted[resource] > all };
  }
  if (found === undefined) return [];
  const { load, lacking, proven } = found;
  return [
    finding(hazard, {
      certainty: proven ? 'proven' : 'likely',
      message: `The pods that a drain evicts from ${load.node.name} request ${show(load.evicted[resource], resource)}, ${show(lacking, resource)} more than the other nodes have free. At least that much stays Pending until the node is uncordoned.`,
      evidence: [evidenceAt({ ...load.node.source, path: 'status.allocatable' }, resource)],
      fix: {
        summary:
          'Add a node for the time of the migration, scale something down, or restart sandboxes in place instead of draining.',
      },
    }),
  ];
}

function sumFree(loads: readonly Load[], resource: Resource, withTainted: boolean): number {
  return loads.reduce(
    (sum, load) => sum + (load.tainted && !withTainted ? 0 : load.free[resource]),
    0,
  );
}

function show(amount: number, resource: Resource): string {
  return resource === 'cpu'
    ? `${Math.round(amount * 10) / 10} cores`
    : `${Math.round(amount / 2 ** 20)} MiB`;
}
