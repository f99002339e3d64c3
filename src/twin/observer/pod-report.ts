/**
 * What the lineages come to at the end. A pod is stuck when it should run and has not been available
 * for five minutes, or for one minute with no sandbox, or when it should be gone and is still there a
 * minute after its grace. A pod that was no better when the observer began is not counted.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import { controllerOf, objectKey, type PodObject } from '../../model/kubernetes.ts';
import type { RehearsalSummary } from '../../model/rehearsal.ts';
import { isReady } from '../network/service-table.ts';
import type { World } from '../world.ts';
import type { ObservedFailure } from '../../model/observed-failure.ts';
import type { Lineage, PodLineages } from './pod-lineages.ts';

const STUCK_AFTER_MS = 300_000;
const SANDBOX_PATIENCE_MS = 60_000;
/** Outages of at least this length are told although they ended. */
const LONG_OUTAGE_MS = 300_000;

export interface PodReport {
  readonly pods: number;
  readonly podsRestarted: number;
  readonly maxRestartsPerPod: number;
  readonly podsStuck: number;
  readonly podOutageSeconds: RehearsalSummary['podOutageSeconds'];
  readonly failures: readonly ObservedFailure[];
}

/** The newest word of a kubelet on a pod. */
export interface PodTrouble {
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}

export function reportPods(
  world: World,
  lineages: PodLineages,
  troubles: ReadonlyMap<string, PodTrouble>,
): PodReport {
  const now = world.kernel.now();
  const failures: ObservedFailure[] = [];
  let restarted = 0;
  let most = 0;
  let stuck = 0;
  let pods = 0;
  const outages: number[] = [];
  for (const lineage of lineages.all) {
    if (isFinished(lineage)) continue;
    if (!lineage.vacant) pods += 1;
    if (lineage.original && lineage.restarts > 0) restarted += 1;
    if (lineage.original) most = Math.max(most, lineage.restarts);
    const lost = outageOf(lineage, now);
    if (lost > 0) outages.push(lost / 1000);
    const why = lineage.vacant ? missedSince(world, lineage, now) : stuckSince(lineage, now);
    if (why !== undefined) stuck += 1;
    failures.push(...failuresOf(world, lineage, why, troubles.get(objectKey(lineage.pod))));
  }
  return {
    pods,
    podsRestarted: restarted,
    maxRestartsPerPod: most,
    podsStuck: stuck,
    podOutageSeconds: distribution(outages),
    failures,
  };
}

interface Stuck {
  readonly since: number;
  readonly symptom:
    'container-creating' | 'not-ready' | 'terminating' | 'unschedulable' | 'not-replaced';
}

function stuckSince(lineage: Lineage, now: number): Stuck | undefined {
  const { pod } = lineage;
  const grace = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  const since = unavailableSince(lineage);
  if (pod.metadata.deletionTimestamp !== undefined) {
    const asked = Math.max(Date.parse(pod.metadata.deletionTimestamp), 0);
    return now - asked > grace + SANDBOX_PATIENCE_MS
      ? { since: asked, symptom: 'terminating' }
      : undefined;
  }
  if (since === undefined) return undefined;
  // Nobody makes a pod without an owner again.
  if (pod.status.phase === 'Failed') return { since, symptom: 'not-replaced' };
  const waited = now - since;
  if (pod.spec.nodeName === undefined) {
    return waited > STUCK_AFTER_MS ? { since, symptom: 'unschedulable' } : undefined;
  }
  if (!hasSandbox(pod) && waited > SANDBOX_PATIENCE_MS)
    return { since, symptom: 'container-creating' };
  // What was not ready before, and has its sandbox, is as it was.
  if (lineage.original && !lineage.everReady) return undefined;
  return waited > STUCK_AFTER_MS ? { since, symptom: 'not-ready' } : undefined;
}

/** A pod that its owner still wants, and that nobody made again. */
function missedSince(world: World, lineage: Lineage, now: number): Stuck | undefined {
  const since = lineage.outages.at(-1)?.from;
  const owner = controllerOf(lineage.pod);
  if (since === undefined || owner === undefined || now - since < STUCK_AFTER_MS) return undefined;
  const { namespace, name, uid } = lineage.pod.metadata;
  const left = world.store.get('Pod', namespace, name);
  // An owner that would make another takes the failed one away first, or has its new one beside it.
  if (left?.metadata.uid === uid && isMadeByName(owner.kind))
    return { since, symptom: 'not-replaced' };
  const live = liveOwner(world, owner.kind, namespace, owner.name);
  // An owner of that name that is another object wants pods of its own.
  if (live === undefined || live.uid !== owner.uid) return undefined;
  const has = world.store.podsOf(owner.uid).length;
  return has < live.wanted ? { since, symptom: 'not-replaced' } : undefined;
}

/** Not a controller of Kubernetes' own: an operator that keeps one pod under one name. */
function isMadeByName(kind: string): boolean {
  return !['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'].includes(kind);
}

function liveOwner(
  world: World,
  kind: string,
  namespace: string | undefined,
  name: string,
): { readonly uid: string | undefined; readonly wanted: number } | undefined {
  if (kind === 'ReplicaSet' || kind === 'StatefulSet') {
    const set = world.store.get(kind, namespace, name);
    return set && { uid: set.metadata.uid, wanted: set.spec.replicas ?? 1 };
  }
  if (kind !== 'DaemonSet') return undefined;
  const set = world.store.get('DaemonSet', namespace, name);
  return set && { uid: set.metadata.uid, wanted: set.status?.desiredNumberScheduled ?? 0 };
}

/** Undefined when it is available, or never was since before the observer began. */
function unavailableSince(lineage: Lineage): number | undefined {
  if (isReady(lineage.pod)) return undefined;
  const last = lineage.outages.at(-1);
  if (last !== undefined && last.until === undefined) return last.from;
  return lineage.original && !lineage.everReady && lineage.restarts === 0
    ? undefined
    : lineage.since;
}

function failuresOf(
  world: World,
  lineage: Lineage,
  stuck: Stuck | undefined,
  trouble: PodTrouble | undefined,
): readonly ObservedFailure[] {
  const { pod } = lineage;
  const because = trouble?.because ?? world.store.causesOf(pod);
  const subject = {
    kind: 'Pod',
    namespace: pod.metadata.namespace ?? '',
    name: pod.metadata.name,
    ...(pod.spec.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
  };
  if (stuck !== undefined) {
    const { status } = asStored(world, pod);
    const message = trouble?.message ?? waitingText(status) ?? status.message ?? stuck.symptom;
    return [{ subject, symptom: `pod-${stuck.symptom}`, message, at: stuck.since / 1000, because }];
  }
  return lineage.outages.flatMap(({ from, until }) => {
    if (until === undefined || until - from < LONG_OUTAGE_MS) return [];
    const message = trouble?.message ?? 'not available';
    return [
      { subject, symptom: 'pod-outage', message, at: from / 1000, until: until / 1000, because },
    ];
  });
}

/** Its newest version: lineages do not follow what containers wait for. */
function asStored({ store }: World, pod: PodObject): PodObject {
  const found = store.get('Pod', pod.metadata.namespace, pod.metadata.name);
  return found !== undefined && found.metadata.uid === pod.metadata.uid ? found : pod;
}

function waitingText(status: PodObject['status']): string | undefined {
  const waiting = status.containerStatuses?.find(({ state }) => state?.waiting !== undefined)?.state
    ?.waiting;
  return waiting?.message ?? waiting?.reason;
}

function hasSandbox({ status, spec }: PodObject): boolean {
  const condition = status.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
  if (condition !== undefined) return condition.status === 'True';
  return spec.hostNetwork === true || status.podIP !== undefined;
}

/** It is through, as a Job's pod is; one that ran and was ended is not. */
function isFinished({ pod, everReady }: Lineage): boolean {
  const { phase } = pod.status;
  return phase === 'Succeeded' || (phase === 'Failed' && !everReady);
}

function outageOf({ outages, vacant }: Lineage, now: number): number {
  let sum = 0;
  for (const { from, until } of outages) {
    // A pod that was taken away for good has no outage after its end.
    if (until === undefined && vacant) continue;
    sum += (until ?? now) - from;
  }
  return sum;
}

function distribution(values: number[]): RehearsalSummary['podOutageSeconds'] {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const total = sorted.reduce((sum, value) => sum + value, 0);
  return {
    total: rounded(total),
    p50: rounded(at(0.5)),
    p99: rounded(at(0.99)),
    max: rounded(sorted.at(-1) ?? 0),
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
