/**
 * The status a kubelet writes for a pod, from what it knows of the pod's containers (KK
 * pkg/kubelet/status/generate.go). One function builds all of it, so that a transition is one write.
 */
import type { Condition, ContainerStatus, PodObject } from '../../model/kubernetes.ts';

export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAt: string }
  | {
      readonly kind: 'terminated';
      readonly exitCode: number;
      readonly reason: string;
      readonly message?: string;
    };

export interface ContainerView {
  readonly name: string;
  readonly state: ContainerState;
  readonly ready: boolean;
  /** Running, and through its startup probe. */
  readonly started: boolean;
  readonly restartCount: number;
  /** An init container that is not a sidecar. */
  readonly once: boolean;
}

export interface PodView {
  readonly pod: PodObject;
  readonly inits: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
  readonly sandboxReady: boolean;
  readonly hostIp: string | undefined;
  readonly podIp: string | undefined;
  /** Whether its containers ran before, which keeps the phase at Running when they are started anew. */
  readonly ranBefore: boolean;
  readonly now: string;
  /** Why the kubelet ended the pod for good; shown once nothing of it runs. */
  readonly end?: PodEnd | undefined;
}

export interface PodEnd {
  readonly reason: string;
  readonly message: string;
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export function buildStatus(view: PodView): PodObject['status'] {
  const { pod, now } = view;
  const old = pod.status;
  const end = view.containers.some(isRunning) ? undefined : view.end;
  const phase = end === undefined ? phaseOfPod(view) : 'Failed';
  // Put together key by key: this is built for every change of every pod.
  const status: Writable<PodObject['status']> = { phase };
  if (end !== undefined) {
    status.reason = end.reason;
    status.message = end.message;
  }
  if (view.hostIp !== undefined) status.hostIP = view.hostIp;
  if (view.podIp !== undefined) {
    status.podIP = view.podIp;
    status.podIPs = addresses(old, view.podIp);
  }
  status.startTime = old.startTime ?? now;
  status.conditions = conditionsOf(view, phase, end);
  if (view.inits.length > 0)
    status.initContainerStatuses = statusesOf(view.inits, old.initContainerStatuses);
  status.containerStatuses = statusesOf(view.containers, old.containerStatuses);
  return status;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function addresses(old: PodObject['status'], podIp: string): readonly { readonly ip: string }[] {
  const known = old.podIPs?.length === 1 && old.podIPs[0]?.ip === podIp ? old.podIPs : undefined;
  return known ?? [{ ip: podIp }];
}

function conditionsOf(view: PodView, phase: Phase, end: PodEnd | undefined): Condition[] {
  const { now, inits } = view;
  const old = view.pod.status;
  const initialised = inits.every(isInitialised);
  const ready = initialised && view.containers.every(isReady);
  const notReady = ready ? undefined : whyNotReady(view, phase);
  const conditions = [
    condition(old, 0, 'PodReadyToStartContainers', view.sandboxReady, now),
    condition(old, 1, 'Initialized', initialised, now, initialised ? undefined : incomplete(inits)),
    condition(old, 2, 'Ready', ready, now, notReady),
    condition(old, 3, 'ContainersReady', ready, now, notReady),
    condition(old, 4, 'PodScheduled', true, now),
  ];
  if (end !== undefined) conditions.push(disruption(old, end, now));
  for (const other of old.conditions ?? []) {
    if (OWN.has(other.type) || (end !== undefined && other.type === DISRUPTION)) continue;
    conditions.push(other);
  }
  return conditions;
}

interface Reason {
  readonly reason: string;
  readonly message?: string;
}

function whyNotReady({ containers }: PodView, phase: Phase): Reason {
  if (phase === 'Succeeded') return { reason: 'PodCompleted' };
  if (phase === 'Failed') return { reason: 'PodFailed' };
  const unready = containers.flatMap((container) => (isReady(container) ? [] : [container.name]));
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { reason: 'ContainersNotReady', message };
}

function isReady({ ready }: ContainerView): boolean {
  return ready;
}

function isRunning({ state }: ContainerView): boolean {
  return state.kind === 'running';
}

const DISRUPTION = 'DisruptionTarget';
const OWN = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
]);

function disruption(old: PodObject['status'], { message }: PodEnd, now: string): Condition {
  const before = old.conditions?.find(({ type }) => type === DISRUPTION);
  const condition = { type: DISRUPTION, status: 'True', reason: 'TerminationByKubelet' } as const;
  return before ?? { ...condition, message, lastTransitionTime: now };
}

export function isPodReady(pod: PodObject): boolean {
  return isReadyStatus(pod.status);
}

export function isReadyStatus({ conditions }: PodObject['status']): boolean {
  if (conditions === undefined) return false;
  // A loop: every watcher asks this of every change of a pod.
  for (const condition of conditions)
    if (condition.type === 'Ready' && condition.status === 'True') return true;
  return false;
}

/** Nothing of the pod runs, and nothing will. */
export function isTerminal(pod: PodObject): boolean {
  return pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
}

function phaseOfPod(view: PodView): Phase {
  const restartPolicy = view.pod.spec.restartPolicy ?? 'Always';
  if (restartPolicy !== 'Always') {
    if (restartPolicy === 'Never' && view.inits.some((init) => init.once && hasFailed(init)))
      return 'Failed';
    if (view.containers.every(({ state }) => state.kind === 'terminated')) {
      if (!view.containers.some(hasFailed)) return 'Succeeded';
      if (restartPolicy === 'Never') return 'Failed';
    }
  }
  if (view.ranBefore) return 'Running';
  const waiting = view.containers.some(({ state }) => state.kind === 'waiting');
  return waiting || !view.inits.every(isInitialised) ? 'Pending' : 'Running';
}

function hasFailed({ state }: ContainerView): boolean {
  return state.kind === 'terminated' && state.exitCode !== 0;
}

function isInitialised({ state, once }: ContainerView): boolean {
  if (!once) return state.kind === 'running';
  return state.kind === 'terminated' && state.exitCode === 0;
}

function incomplete(inits: readonly ContainerView[]): Reason {
  const names = inits.flatMap((init) => (isInitialised(init) ? [] : [init.name]));
  const message = `containers with incomplete status: [${names.join(' ')}]`;
  return { reason: 'ContainersNotInitialized', message };
}

/** `place`: where it stands in a status that a kubelet of this twin wrote. */
function condition(
  old: PodObject['status'],
  place: number,
  type: string,
  holds: boolean,
  now: string,
  otherwise?: Reason,
): Condition {
  const status = holds ? 'True' : 'False';
  const there = old.conditions?.[place];
  const before =
    there?.type === type ? there : old.conditions?.find((candidate) => candidate.type === type);
  const reason = holds ? undefined : otherwise?.reason;
  const message = holds ? undefined : otherwise?.message;
  // Most conditions stay as they are from one status to the next; they are shared, not built again.
  if (before?.status === status && before.reason === reason && before.message === message)
    return before;
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
  if (reason === undefined) return { type, status, lastTransitionTime };
  if (message === undefined) return { type, status, reason, lastTransitionTime };
  return { type, status, reason, message, lastTransitionTime };
}

/** What stays as it is from one status to the next is shared. */
function statusesOf(
  views: readonly ContainerView[],
  old: readonly ContainerStatus[] | undefined,
): readonly ContainerStatus[] {
  const statuses = views.map((view, index) => {
    const before = old?.[index];
    return before !== undefined && isSame(before, view) ? before : toStatus(view);
  });
  const unchanged = old?.length === statuses.length && old.every((one, at) => one === statuses[at]);
  return unchanged ? old : statuses;
}

function isSame(before: ContainerStatus, view: ContainerView): boolean {
  const { name, ready, started, restartCount, state } = view;
  if (before.name !== name || before.ready !== ready || before.started !== started) return false;
  if (before.restartCount !== restartCount) return false;
  const { waiting, running, terminated } = before.state ?? {};
  switch (state.kind) {
    case 'waiting':
      return waiting?.reason === state.reason && waiting.message === state.message;
    case 'running':
      return running?.startedAt === state.startedAt;
    case 'terminated':
      return (
        terminated?.exitCode === state.exitCode &&
        terminated.reason === state.reason &&
        terminated.message === state.message
      );
  }
}

function toStatus(view: ContainerView): ContainerStatus {
  const { name, ready, started, restartCount, state } = view;
  switch (state.kind) {
    case 'waiting': {
      const { reason, message } = state;
      const waiting = message === undefined ? { reason } : { reason, message };
      return { name, ready, restartCount, started, state: { waiting } };
    }
    case 'running':
      return {
        name,
        ready,
        restartCount,
        started,
        state: { running: { startedAt: state.startedAt } },
      };
    case 'terminated': {
      const { exitCode, reason, message } = state;
      const terminated =
        message === undefined ? { exitCode, reason } : { exitCode, reason, message };
      return { name, ready, restartCount, started, state: { terminated } };
    }
  }
}
