/**
 * Drains a node through its budgets, reboots it, and waits until it is back: another boot id and
 * Ready. Every sandbox is made anew at boot, by whichever CNI conf comes first then.
 */
import { RegaugeError } from '../base/errors.ts';
import type { NodeObject, PodObject } from '../model/kubernetes.ts';
import type { KubernetesPort } from '../ports/index.ts';
import { CORDON_MARK, setSchedulable } from './cordon.ts';
import { quorumWithout } from './etcd-quorum.ts';
import { untilCopiedElsewhere } from './last-copies.ts';
import {
  getNode,
  isBare,
  isMirror,
  isNodeReady,
  isOnOldNetwork,
  isOwnedBy,
  podsOn,
} from './pods.ts';
import { restartRound } from './restart-round.ts';
import { type ActionOf, fails, HOLDS, type StepContext } from './step-module.ts';
import { waitUntil } from './waiting.ts';

/** Written before the reboot, so that a resumed run knows whether the node went down already. */
const BOOT_MARK = 'regauge.dev/boot-id-before';

export async function drainAndReboot(
  context: StepContext,
  action: ActionOf<'restart-pods'>,
): Promise<void> {
  const { kubernetes, clock } = context.ports;
  const { node } = action;
  const before = await getNode(kubernetes, node);
  const bootId = before?.status.nodeInfo?.bootID ?? '';
  const marked = before?.metadata.annotations?.[BOOT_MARK];
  if (marked === undefined && (await nothingToMove(context, node))) return open(kubernetes, node);
  if (marked === undefined || marked === bootId) {
    if (before?.spec.unschedulable !== true)
      await setSchedulable(kubernetes, node, context.plan.id);
    await drain(context, action);
    await untilSafeToReboot(context, node);
    await kubernetes.patch(
      { apiVersion: 'v1', kind: 'Node', name: node },
      { metadata: { annotations: { [BOOT_MARK]: bootId } } },
    );
    await rebootUnlessDone(context, node, bootId);
  }
  const back = await waitUntil(clock, context.deadline, () =>
    cameBack(context, node, marked ?? bootId),
  );
  if (!back.holds) throw new Error(back.message);
  await open(kubernetes, node);
}

/** Asked once more: a drain takes minutes, in which another machine may have gone down. */
async function untilSafeToReboot(context: StepContext, node: string): Promise<void> {
  const { ports, step, deadline } = context;
  await untilCopiedElsewhere(context, node);
  for (const gate of step.gates) {
    if (gate.kind !== 'etcd-quorum') continue;
    const verdict = await waitUntil(ports.clock, deadline, () => quorumWithout(ports, gate));
    if (!verdict.holds) throw new Error(`${node} was not rebooted: ${verdict.message}`);
  }
}

async function nothingToMove({ ports, plan }: StepContext, node: string): Promise<boolean> {
  const pods = await podsOn(ports.kubernetes, node);
  return !pods.some((pod) => isOnOldNetwork(pod, plan));
}

/** In one write: without the mark, a run that was killed in between would reboot the node again. */
async function open(kubernetes: KubernetesPort, node: string): Promise<void> {
  const after = await getNode(kubernetes, node);
  const isOurs = after?.metadata.annotations?.[CORDON_MARK] !== undefined;
  await kubernetes.patch(
    { apiVersion: 'v1', kind: 'Node', name: node },
    {
      metadata: { annotations: { [BOOT_MARK]: null, [CORDON_MARK]: null } },
      ...(isOurs ? { spec: { unschedulable: null } } : {}),
    },
  );
}

/** A run was killed between the reboot and the end of it: the node may be held still. */
export function isRebooting(node: NodeObject | undefined): boolean {
  const { annotations } = node?.metadata ?? {};
  return annotations?.[BOOT_MARK] !== undefined || annotations?.[CORDON_MARK] !== undefined;
}

/** Where the host says which boot it is at; the API server hears of it only from the kubelet. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

async function rebootUnlessDone(
  { ports }: StepContext,
  node: string,
  bootIdBefore: string,
): Promise<void> {
  const now = (await ports.nodeHost.read(node, BOOT_ID_FILE).catch(unlessUnreadable))?.trim();
  if (now !== undefined && now !== '' && now !== bootIdBefore) return;
  await ports.nodeHost.reboot(node);
}

/** Not every host lets it be read; one that is away is met by the reboot itself. */
function unlessUnreadable(error: unknown): undefined {
  if (error instanceof RegaugeError) return undefined;
  throw error;
}

async function drain(
  context: StepContext,
  { node, drainTimeoutSeconds }: ActionOf<'restart-pods'>,
): Promise<void> {
  const { clock } = context.ports;
  const deadline = Math.min(context.deadline, clock.now() + drainTimeoutSeconds * 1000);
  const result = await restartRound(
    { ...context, deadline },
    {
      node,
      wants: (pod) => isOnOldNetwork(pod, context.plan) && leaves(pod),
      methodFor: () => 'evict',
      goneIsEnough: true,
    },
  );
  if (!result.done)
    throw new Error(`${node} was not drained in time: ${result.blockers.slice(0, 5).join('; ')}`);
}

/** As `kubectl drain` filters: what its owner would put back on the node, or nobody would put anywhere, stays. */
function leaves(pod: PodObject): boolean {
  return !isMirror(pod) && !isBare(pod) && !isOwnedBy(pod, 'DaemonSet');
}

async function cameBack(context: StepContext, node: string, bootIdBefore: string) {
  const now = await getNode(context.ports.kubernetes, node);
  if (now?.status.nodeInfo?.bootID === bootIdBefore) return fails(`${node} has not rebooted yet`);
  return isNodeReady(now) ? HOLDS : fails(`${node} has rebooted and is not Ready`);
}
