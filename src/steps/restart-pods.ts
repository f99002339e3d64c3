/**
 * Moves the pods of a node to the network that new sandboxes get there, each restarted once:
 * `evict-in-place` (through budgets; pods with attached volumes first, the storage engine's manager
 * when it runs none), `sandbox-restart` (in place, nothing moves), `reboot` (drain, reboot).
 */
import type { PodDisruptionBudgetObject, PodObject } from '../model/kubernetes.ts';
import { CORDON_MARK, setSchedulable } from './cordon.ts';
import { getNode, isOnOldNetwork, podsOn, showPod } from './pods.ts';
import { untilCopiedElsewhere } from './last-copies.ts';
import { drainAndReboot, isRebooting } from './reboot-node.ts';
import {
  methodFor,
  type RoundOptions,
  type RoundResult,
  restartRound,
  toBeMoved,
} from './restart-round.ts';
import { type ActionOf, fails, HOLDS, type StepContext, type StepModule } from './step-module.ts';
import { attachedTo, enginesOn, isInstanceManager, podsWithAttachedVolumes } from './volumes.ts';
import { waitUntil } from './waiting.ts';

/** What the pods with volumes may take to end and detach before the others are held up no longer. */
const DETACH_SECONDS = 240;

type Restart = ActionOf<'restart-pods'>;

export const restartPods: StepModule<'restart-pods'> = {
  async observe({ ports, plan }, { node, strategy }) {
    const pods = await podsOn(ports.kubernetes, node);
    if (strategy === 'reboot' && isRebooting(await getNode(ports.kubernetes, node))) return 'todo';
    return pods.some((pod) => isOnOldNetwork(pod, plan)) ? 'todo' : 'done';
  },

  async act(context, action) {
    if (action.strategy === 'reboot') await drainAndReboot(context, action);
    await restartOldPods(context, action);
  },

  async verify(context, { node }) {
    const old = (await podsOn(context.ports.kubernetes, node)).filter((pod) =>
      isOnOldNetwork(pod, context.plan),
    );
    if (old.length === 0) return HOLDS;
    return fails(`on the old network still: ${old.slice(0, 5).map(showPod).join(', ')}`);
  },

  undo: () => null,
};

type Toward = 'new' | 'old';

/** Restarts what is on the other network than the one it is to go to; throws when time is up. */
export async function restartOldPods(
  context: StepContext,
  action: Pick<Restart, 'node' | 'strategy' | 'budgetsWithoutRoom'>,
  toward: Toward = 'new',
): Promise<void> {
  const { node, strategy } = action;
  if (strategy === 'evict-in-place') await moveVolumesFirst(context, action, toward);
  else if (await hasManagers(context, node, toward)) await untilCopiedElsewhere(context, node);
  const withoutRoom = await budgets(context, action.budgetsWithoutRoom ?? []);
  const result = await restartRound(context, {
    node,
    wants: toBeMoved(context, toward),
    methodFor: (pod) => methodFor(pod, strategy, withoutRoom),
  });
  report(result, node);
}

function report(result: RoundResult, node: string): void {
  if (result.done) return;
  const named = result.blockers.slice(0, 5).join('; ');
  throw new RestartBlocked(`pods of ${node} were not all restarted in time: ${named}`);
}

/** The step's bound was reached; the message names who is in the way. */
class RestartBlocked extends Error {
  override readonly name = 'RestartBlocked';
}

/**
 * While the node is cordoned, pods with attached volumes go where the new network is (or wait), so
 * that no engine runs here when the instance manager is restarted.
 */
async function moveVolumesFirst(
  context: StepContext,
  { node, strategy }: Pick<Restart, 'node' | 'strategy'>,
  toward: Toward,
): Promise<void> {
  const { kubernetes } = context.ports;
  const wants = toBeMoved(context, toward);
  const present = await podsOn(kubernetes, node);
  const managers = present.filter((pod) => isInstanceManager(pod) && wants(pod));
  if (managers.length === 0) return;
  // Also pods that are on the right network already: a run that was cut off may have got them so far.
  const guests = present.filter((pod) => !isInstanceManager(pod) && pod.spec.hostNetwork !== true);
  const withVolumes = uidsOf([...(await podsWithAttachedVolumes(kubernetes, guests))]);
  const cordonedHere = await holdNode(context, node);
  try {
    const leaving: RoundOptions = {
      node,
      wants: (pod) => withVolumes.has(pod.metadata.uid),
      methodFor: (pod) => methodFor(pod, strategy, []),
      goneIsEnough: true,
    };
    const left = await volumesLeft(context, leaving);
    await untilCopiedElsewhere(context, node);
    if (left) {
      const uids = uidsOf(managers);
      const isOld = (pod: PodObject): boolean => uids.has(pod.metadata.uid) && wants(pod);
      report(await restartRound(context, { node, wants: isOld, methodFor: () => 'evict' }), node);
    }
  } finally {
    if (cordonedHere) await setSchedulable(kubernetes, node, null);
  }
}

async function hasManagers(context: StepContext, node: string, toward: Toward): Promise<boolean> {
  const wants = toBeMoved(context, toward);
  const present = await podsOn(context.ports.kubernetes, node);
  return present.some((pod) => isInstanceManager(pod) && wants(pod));
}

function uidsOf(pods: readonly PodObject[]): ReadonlySet<string | undefined> {
  return new Set(pods.map(({ metadata }) => metadata.uid));
}

async function holdNode(context: StepContext, node: string): Promise<boolean> {
  const found = await getNode(context.ports.kubernetes, node);
  const ours = found?.metadata.annotations?.[CORDON_MARK] !== undefined;
  if (found?.spec.unschedulable === true) return ours;
  // Another mark than that of the nodes that wait for their move: nobody opens this one for room.
  await setSchedulable(context.ports.kubernetes, node, `${context.plan.id}/volumes`);
  return true;
}

/** True when no volume is attached to the node any more. */
async function volumesLeft(context: StepContext, leaving: RoundOptions): Promise<boolean> {
  const { clock, kubernetes } = context.ports;
  const { node } = leaving;
  const deadline = Math.min(context.deadline, clock.now() + DETACH_SECONDS * 1000);
  const result = await restartRound({ ...context, deadline }, leaving);
  if (!result.done) {
    context.say(`volumes of ${node} are held: ${result.blockers.slice(0, 3).join('; ')}`, node);
    return false;
  }
  const detached = await waitUntil(clock, deadline, async () => {
    const left = [...(await attachedTo(kubernetes, node)), ...(await enginesOn(kubernetes, node))];
    return left.length === 0
      ? HOLDS
      : fails(`attached to ${node} still: ${left.slice(0, 3).join(', ')}`);
  });
  if (!detached.holds) context.say(detached.message, node);
  return detached.holds;
}

async function budgets(
  context: StepContext,
  keys: readonly string[],
): Promise<readonly PodDisruptionBudgetObject[]> {
  const found = await Promise.all(
    keys.map((key) => {
      const [namespace = 'default', name = ''] = key.split('/');
      return context.ports.kubernetes.get<PodDisruptionBudgetObject>({
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        namespace,
        name,
      });
    }),
  );
  return found.filter((budget) => budget !== undefined);
}
