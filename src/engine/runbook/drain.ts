/**
 * `kubectl drain`: cordon, filter, evict in parallel, ask again after 5 s on a 429, wait until the
 * pods are gone. Without a time-out it waits for ever, which a person does not.
 * Source: kubernetes staging/src/k8s.io/kubectl/pkg/drain (filters.go, drain.go).
 */
import { RegaugeError } from '../../base/errors.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import type { KubectlCommand } from '../../model/runbook.ts';
import { isBare, isMirror, isOver, isOwnedBy, podsOn, showPod } from '../../steps/pods.ts';
import { type CommandContext, PATIENCE_SECONDS } from './command-context.ts';

type Drain = Extract<KubectlCommand, { readonly action: 'drain' }>;

const RETRY_MS = 5_000;
const LOOK_MS = 1_000;

export async function drain({ ports, nodes }: CommandContext, command: Drain): Promise<void> {
  const { kubernetes, clock } = ports;
  const node = nodes.named(command.node);
  await kubernetes.patch(
    { apiVersion: 'v1', kind: 'Node', name: node },
    { spec: { unschedulable: true } },
  );
  const pods = filtered(await podsOn(kubernetes, node), command, node);
  const seconds =
    command.timeoutSeconds === undefined || command.timeoutSeconds === 0
      ? PATIENCE_SECONDS
      : command.timeoutSeconds;
  const deadline = clock.now() + seconds * 1000;
  const left = await Promise.all(pods.map((pod) => evicted(ports, pod, deadline)));
  const stuck = left.filter((message) => message !== undefined);
  if (stuck.length > 0) {
    throw new RegaugeError(
      'timeout',
      `error: unable to drain node "${node}": ${stuck.slice(0, 3).join('; ')}${stuck.length > 3 ? ` (and ${stuck.length - 3} more)` : ''}`,
    );
  }
}

/** The pods to evict; an error, before anything is evicted, for what a flag would have to allow. */
function filtered(pods: readonly PodObject[], command: Drain, node: string): readonly PodObject[] {
  const candidates = pods.filter((pod) => !isMirror(pod));
  const leaving = candidates.filter((pod) => isOver(pod) || !isOwnedBy(pod, 'DaemonSet'));
  const refusals = [
    ...(command.ignoreDaemonsets === true || leaving.length === candidates.length
      ? []
      : ['cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)']),
    ...(command.deleteEmptydirData === true ||
    !leaving.some((pod) => !isOver(pod) && usesEmptyDir(pod))
      ? []
      : ['cannot delete Pods with local storage (use --delete-emptydir-data to override)']),
    ...(command.force === true || !leaving.some((pod) => !isOver(pod) && isBare(pod))
      ? []
      : ['cannot delete Pods that declare no controller (use --force to override)']),
  ];
  if (refusals.length > 0)
    throw new RegaugeError(
      'refused',
      `error: unable to drain node "${node}" due to error: ${refusals.join(', ')}`,
    );
  return leaving;
}

function usesEmptyDir({ spec }: PodObject): boolean {
  return (spec.volumes ?? []).some(({ emptyDir }) => emptyDir !== undefined);
}

/** Undefined when it is gone; else why it is not. */
async function evicted(
  { kubernetes, clock }: CommandContext['ports'],
  pod: PodObject,
  deadline: number,
): Promise<string | undefined> {
  const { namespace = 'default', name, uid } = pod.metadata;
  for (;;) {
    const refused = await tryEvict(kubernetes, namespace, name);
    if (refused === undefined) break;
    if (clock.now() + RETRY_MS > deadline) return `${showPod(pod)}: ${refused}`;
    await clock.sleep(RETRY_MS);
  }
  for (;;) {
    const now = await kubernetes.get({ apiVersion: 'v1', kind: 'Pod', namespace, name });
    if (now === undefined || now.metadata.uid !== uid) return undefined;
    if (clock.now() >= deadline) return `${showPod(pod)} has not terminated`;
    await clock.sleep(LOOK_MS);
  }
}

async function tryEvict(
  kubernetes: CommandContext['ports']['kubernetes'],
  namespace: string,
  name: string,
): Promise<string | undefined> {
  try {
    const answer = await kubernetes.evict(namespace, name);
    return answer.evicted ? undefined : answer.message;
  } catch (error) {
    if (error instanceof RegaugeError && error.code === 'not-found') return undefined;
    throw error;
  }
}
