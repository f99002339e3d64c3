/**
 * Workloads that were failing when the cluster was read: why, the twin cannot know, and a new network
 * does not cure them. They go on failing, so that budgets and owners count them as they will for real.
 */
import type { ClusterInput } from '../../model/cluster-input.ts';
import { controllerOf, objectKey, type PodObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import type { ProgramFor } from '../kubelet/kubelet-context.ts';
import { app, neverReady } from '../programs/app.ts';

/** A container in one of these has failed more than once, or cannot start as it is. */
const FAILING =
  /^(CrashLoopBackOff|ImagePullBackOff|ErrImagePull|ErrImageNeverPull|InvalidImageName|CreateContainerConfigError|CreateContainerError|RunContainerError)$/;
/** One that has not been ready for this long is not merely starting (milliseconds). */
const STARTING_MS = 300_000;

export interface FailingWorkloads {
  readonly programFor: ProgramFor;
  readonly assumptions: readonly Assumption[];
}

/** Only ordinary containers: what the twin models fails by its own mechanisms, or not. */
export function keepFailing(input: ClusterInput, programFor: ProgramFor): FailingWorkloads {
  const running = input.objects.flatMap(({ object }) => {
    if (object.kind !== 'Pod') return [];
    const pod = object as PodObject; // the kind says so
    return pod.status.phase === 'Running' || pod.status.phase === 'Pending' ? [pod] : [];
  });
  const now = running.flatMap(timesOf).reduce((latest, time) => Math.max(latest, time), 0);
  const failing = new Map(running.map((pod) => [pod, failingIn(pod, now)]));
  const byOwner = new Map<string, Set<string> | undefined>();
  for (const [pod, names] of failing) {
    const owner = controllerOf(pod)?.uid;
    if (owner === undefined) continue;
    const known = byOwner.has(owner) ? byOwner.get(owner) : names;
    // Only what fails in every pod of an owner is the owner's.
    byOwner.set(owner, new Set([...(known ?? [])].filter((name) => names.has(name))));
  }
  for (const [owner, names] of byOwner) if (names?.size === 0) byOwner.delete(owner);
  const byPod = new Map<string | undefined, ReadonlySet<string>>();
  for (const [{ metadata }, names] of failing) if (names.size > 0) byPod.set(metadata.uid, names);
  if (byOwner.size === 0 && byPod.size === 0) return { programFor, assumptions: [] };
  return {
    programFor: (pod, container) => {
      const program = programFor(pod, container);
      if (program !== app) return program;
      const owned = byOwner.get(controllerOf(pod)?.uid ?? '')?.has(container.name);
      const own = byPod.get(pod.metadata.uid)?.has(container.name);
      return owned === true || own === true ? neverReady : program;
    },
    assumptions: told([...failing].flatMap(([pod, names]) => (names.size > 0 ? [pod] : []))),
  };
}

/** Names of the pod's containers that fail. */
function failingIn(pod: PodObject, now: number): ReadonlySet<string> {
  const { conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const since = Date.parse(ready?.lastTransitionTime ?? '');
  const long = ready?.status === 'False' && now - since > STARTING_MS;
  return new Set(
    [...containerStatuses, ...initContainerStatuses]
      .filter(({ state, ready: isReady }) => {
        if (FAILING.test(state?.waiting?.reason ?? '')) return true;
        return long && state?.running !== undefined && !isReady;
      })
      .map(({ name }) => name),
  );
}

function timesOf({ metadata, status }: PodObject): readonly number[] {
  return [
    metadata.creationTimestamp,
    ...(status.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime),
  ]
    .map((text) => Date.parse(text ?? ''))
    .filter((time) => !Number.isNaN(time));
}

function told(pods: readonly PodObject[]): readonly Assumption[] {
  const [first] = pods;
  if (first === undefined) return [];
  const shown = pods.slice(0, 5).map(objectKey).join(', ');
  return [
    {
      about: `${pods.length === 1 ? 'pod' : `${pods.length} pods`} that failed before: ${shown}${pods.length > 5 ? ', …' : ''}`,
      assumed: 'to go on failing, wherever they restart',
      because: 'what keeps them from being ready is not the network’s doing, as far as was read',
      command: 'kubectl get pods -A -o wide',
    },
  ];
}
