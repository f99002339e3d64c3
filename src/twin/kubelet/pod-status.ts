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
  const end = view.containers.some(({ state }) => state.kind === 'running') ? undefined : view.end;
  const phase = end === undefined ? phaseOfPod(view) : 'Failed';
  const initialised = view.inits.every(isInitialised);
  const unready = view.containers.filter((container) => !container.ready).map(({ name }) => name);
  const ready = initialised && unready.length === 0;
  const finished = phase === 'Succeeded' || phase === 'Failed';
  const notReady = finished
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : {
        reason: 'ContainersNotReady',
        message: `containers with unready status: [${unready.join(' ')}]`,
      };
  const conditions = [
    condition(old, 'PodReadyToStartContainers', view.sandboxReady, now),
    condition(old, 'Initialized', initialised, now, {
      reason: 'ContainersNotInitialized',
      message: `containers with incomplete status: [${incomplete(view.inits)}]`,
    }),
    condition(old, 'Ready', ready, now, notReady),
    condition(old, 'ContainersReady', ready, now, notReady),
    condition(old, 'PodScheduled', true, now),
    ...(end === undefined ? [] : [disruption(old, end, now)]),
    ...(old.conditions ?? []).filter(
      ({ type }) => !OWN.has(type) && (end === undefined || type !== DISRUPTION),
    ),
  ];
  return {
    phase,
    ...end,
    ...(view.hostIp === undefined ? {} : { hostIP: view.hostIp }),
    ...(view.podIp === undefined ? {} : { podIP: view.podIp, podIPs: [{ ip: view.podIp }] }),
    startTime: old.startTime ?? now,
    conditions,
    ...(view.inits.length === 0 ? {} : { initContainerStatuses: view.inits.map(toStatus) }),
    containerStatuses: view.containers.map(toStatus),
  };
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
  const { conditions } = pod.status;
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
  const states = view.containers.map(({ state }) => state);
  const failedInit = view.inits.some(
    ({ state, once }) => once && state.kind === 'terminated' && state.exitCode !== 0,
  );
  if (failedInit && restartPolicy === 'Never') return 'Failed';
  if (restartPolicy !== 'Always' && states.every(({ kind }) => kind === 'terminated')) {
    const failed = states.some((state) => state.kind === 'terminated' && state.exitCode !== 0);
    if (!failed) return 'Succeeded';
    if (restartPolicy === 'Never') return 'Failed';
  }
  if (view.ranBefore) return 'Running';
  const waiting = states.some(({ kind }) => kind === 'waiting');
  return waiting || !view.inits.every(isInitialised) ? 'Pending' : 'Running';
}

function isInitialised({ state, once }: ContainerView): boolean {
  if (!once) return state.kind === 'running';
  return state.kind === 'terminated' && state.exitCode === 0;
}

function incomplete(inits: readonly ContainerView[]): string {
  return inits.flatMap((init) => (isInitialised(init) ? [] : [init.name])).join(' ');
}

function condition(
  old: PodObject['status'],
  type: string,
  holds: boolean,
  now: string,
  otherwise?: { readonly reason: string; readonly message?: string },
): Condition {
  const status = holds ? 'True' : 'False';
  const before = old.conditions?.find((candidate) => candidate.type === type);
  const reason = holds ? undefined : otherwise?.reason;
  const message = holds ? undefined : otherwise?.message;
  // Most conditions stay as they are from one status to the next; they are shared, not built again.
  if (before?.status === status && before.reason === reason && before.message === message)
    return before;
  return {
    type,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now,
  };
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
