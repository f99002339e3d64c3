/** How a migration, each node and what is around them stand, as the API and the machines tell it. */
import { RegaugeError } from '../../base/errors.ts';
import { confCandidates } from '../../knowledge/cni-selection.ts';
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import type { Plan } from '../../model/plan.ts';
import type { MigrationStatus, NodeStatus, StatusDocument } from '../../model/status.ts';
import type { KubernetesReads, NodeHostPort } from '../../ports/index.ts';
import { CORDON_MARK } from '../../steps/cordon.ts';
import { runtimeDirectories } from '../../steps/node-conf.ts';
import { hasAddressIn, isNodeReady, isOver } from '../../steps/pods.ts';
import { inParallel } from '../../steps/waiting.ts';
import { keptPlan, readRecord, type RunRecord } from './run-record.ts';
import { surroundings } from './surroundings.ts';

const MACHINES_AT_A_TIME = 8;

export interface StatusSources {
  readonly kubernetes: KubernetesReads;
  /** What is in conf directories is not told without it. */
  readonly nodeHost?: Pick<NodeHostPort, 'list' | 'read'>;
}

/** `wallTime`: milliseconds since 1970. */
export async function readStatus(
  sources: StatusSources,
  wallTime: number,
): Promise<StatusDocument> {
  const record = await readRecord(sources.kubernetes);
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'Status',
    ...(record === undefined ? {} : { migration: migrationStatus(record) }),
    nodes: await nodeStatuses(sources, record),
    ...(await surroundings(sources.kubernetes, wallTime)),
  };
}

function migrationStatus(record: RunRecord): MigrationStatus {
  const { planId, phase, startedAt, updatedAt, state, steps, done, total, holder } = record;
  return {
    planId,
    phase: phase ?? 'prepare',
    startedAt,
    ...(steps[0] === undefined ? {} : { step: steps[0] }),
    updatedAt,
    state,
    done,
    total,
    holder,
    ...(record.auditLog === undefined ? {} : { auditLog: record.auditLog }),
    ...(record.message === undefined ? {} : { message: record.message }),
    ...(record.joined === undefined ? {} : { joined: record.joined.map(({ name }) => name) }),
  };
}

async function nodeStatuses(
  { kubernetes, nodeHost }: StatusSources,
  record: RunRecord | undefined,
): Promise<readonly NodeStatus[]> {
  const plan = record === undefined ? undefined : await keptPlan(kubernetes, record.planHash);
  const nodes = await kubernetes.list<NodeObject>('v1', 'Node');
  const counts = new Map(
    nodes.map(({ metadata }) => [metadata.name, { old: 0, new: 0, host: 0, stuck: 0 }]),
  );
  for await (const page of kubernetes.pages<PodObject>('v1', 'Pod')) {
    for (const pod of page.items) {
      const count = counts.get(pod.spec.nodeName ?? '');
      if (count !== undefined) countPod(count, pod, plan);
    }
  }
  const confs = nodeHost === undefined ? NO_CONFS : await confsOf(nodeHost, nodes, plan);
  return nodes
    .map((node) => {
      const { name } = node.metadata;
      return statusOf(node, counts.get(name) ?? NO_PODS, confs.get(name));
    })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

type Counts = { -readonly [K in keyof NodeStatus['pods']]: number };

const NO_PODS: Counts = { old: 0, new: 0, host: 0, stuck: 0 };
const NO_CONFS: ReadonlyMap<string, readonly string[]> = new Map();

/** By node; a machine that does not tell is left out. */
async function confsOf(
  nodeHost: Pick<NodeHostPort, 'list' | 'read'>,
  nodes: readonly NodeObject[],
  plan: Plan | undefined,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const confs = new Map<string, readonly string[]>();
  await inParallel(nodes, MACHINES_AT_A_TIME, async ({ metadata: { name } }) => {
    try {
      const { conf } = await runtimeDirectories(nodeHost, plan?.platform, name);
      const found = await nodeHost.list(name, conf);
      if (found !== undefined) confs.set(name, found.toSorted());
    } catch (error) {
      if (!(error instanceof RegaugeError)) throw error;
    }
  });
  return confs;
}

function countPod(count: Counts, pod: PodObject, plan: Plan | undefined): void {
  if (isOver(pod)) return;
  if (pod.spec.hostNetwork === true) count.host += 1;
  else if (pod.status.podIP === undefined || pod.status.podIP === '') count.stuck += 1;
  else if (plan !== undefined && hasAddressIn(pod, plan.to.podCidrs)) count.new += 1;
  else count.old += 1;
}

function statusOf(
  node: NodeObject,
  pods: NodeStatus['pods'],
  confs: readonly string[] | undefined,
): NodeStatus {
  const { metadata, spec, status } = node;
  const isOurs = metadata.annotations?.[CORDON_MARK] !== undefined;
  return {
    name: metadata.name,
    owner: pods.old > 0 ? (pods.new > 0 ? 'both' : 'old') : pods.new > 0 ? 'new' : 'none',
    runtime: status.nodeInfo?.containerRuntimeVersion ?? 'unknown',
    activeConf: confCandidates(confs ?? [])[0] ?? null,
    confs: confs ?? null,
    pods,
    ready: isNodeReady(node),
    ...(spec.unschedulable === true ? { cordoned: isOurs ? 'regauge' : 'others' } : {}),
  };
}
