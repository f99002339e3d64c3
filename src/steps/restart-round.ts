/**
 * Restarts the pods of one node, level-triggered: every round looks at what is there, starts what
 * may be started, and ends when no pod is left on the old network and every owner has its pods
 * back. Evictions honour budgets: a 429 is asked again after 5 s, as `kubectl drain` does.
 */
import {
  matchesLabels,
  type PodDisruptionBudgetObject,
  type PodObject,
} from '../model/kubernetes.ts';
import { areTaken, type Turns } from './owner-turns.ts';
import { openHeldNodes, podWithoutRoom } from './held-nodes.ts';
import { countingOwnerOf, type OwnerState, replacedOnNode } from './owners.ts';
import {
  hasAddressIn,
  isBare,
  isMirror,
  isOnOldNetwork,
  isOwnedBy,
  isReady,
  podsOn,
  showPod,
} from './pods.ts';
import type { StepContext } from './step-module.ts';

/** Between looks; an API server must bear this for every node of a wave at once. */
const ROUND_MS = 2_000;
/** By then all who looked at the same moment have said which turns are over. */
const TURNS_OVER_MS = 50;
const BUDGET_RETRY_MS = 5_000;
/** Pods that restart are back by then, where there is room for them. */
const ROOM_PATIENCE_MS = 120_000;

export type Method = 'evict' | 'sandbox';

export interface RoundOptions {
  readonly node: string;
  /** Which of the pods to restart; those on the old network by default. */
  readonly wants: (pod: PodObject) => boolean;
  readonly methodFor: (pod: PodObject) => Method;
  /** Wait only until the pods are gone; their replacements may have to wait for this node. */
  readonly goneIsEnough?: boolean;
}

/** Put into words only where they are shown: there is one for each pod that waits, at each look. */
interface Blocker {
  readonly pod: PodObject;
  readonly words: (pod: string) => string;
}

const UNCOUNTED = Promise.resolve(undefined);

const ENDING = (pod: string): string => `${pod} has not ended`;
const TERMINATING = (pod: string): string => `${pod} is terminating`;
const WAITING = (pod: string): string => `${pod} waits for other pods of its owner`;
const RESTARTING = (pod: string): string => `${pod} is being restarted`;
const NOT_REPLACED = (pod: string): string => `the replacement of ${pod} is not ready`;
const OLD_SANDBOX = (pod: string): string => `${pod} has its old sandbox still`;
const UNREADY = (pod: string): string => `${pod} is not ready in its new sandbox`;

export type RoundResult =
  { readonly done: true } | { readonly done: false; readonly blockers: readonly string[] };

interface Flight {
  readonly pod: PodObject;
  readonly method: Method;
  readonly owner: OwnerState | undefined;
  /** A pod that was not ready before is not waited for to be ready after. */
  readonly wasReady: boolean;
}

export async function restartRound(
  context: StepContext,
  options: RoundOptions,
): Promise<RoundResult> {
  const round = new Round(context, options);
  const relief = new Relief(context);
  try {
    for (;;) {
      const blockers = await round.once();
      if (blockers.length === 0) return { done: true };
      await relief.look(blockers.length);
      if (context.ports.clock.now() >= context.deadline)
        return { done: false, blockers: blockers.map(({ pod, words }) => words(showPod(pod))) };
      await round.startWaiting();
      // All nodes of a wave look at the same moments, and so share what they ask of owners.
      await context.ports.clock.sleep(ROUND_MS - (context.ports.clock.now() % ROUND_MS));
    }
  } finally {
    round.giveUp();
  }
}

/** What is known of a pod: from look to look most are the same objects. */
interface Known {
  readonly pod: PodObject;
  readonly uid: string;
  readonly isWanted: boolean;
  /** The UID of its owner, when that keeps count. */
  readonly owner: string | undefined;
  readonly ends: boolean;
  readonly waits: Blocker;
  turns: Turns | undefined;
}

/**
 * Held nodes are opened when nothing has come forward for a while and a pod finds no room because of
 * them: a second restart, later, is better than a pod that is away until then.
 */
class Relief {
  private left = Infinity;
  private since: number;
  private readonly context: StepContext;

  constructor(context: StepContext) {
    this.context = context;
    this.since = context.ports.clock.now();
  }

  async look(blockers: number): Promise<void> {
    const { plan, ports, say } = this.context;
    const now = ports.clock.now();
    if (blockers < this.left) this.since = now;
    this.left = Math.min(this.left, blockers);
    if (now - this.since < ROOM_PATIENCE_MS) return;
    this.since = now;
    const pod = await podWithoutRoom(ports.kubernetes);
    if (pod === undefined) return;
    const opened = await openHeldNodes(plan, ports.kubernetes);
    if (opened.length > 0)
      say(`${showPod(pod)} finds no room; opened before they have moved: ${opened.join(', ')}`);
  }
}

class Round {
  private readonly flights = new Map<string, Flight>();
  private readonly retryAt = new Map<string, { readonly at: number; readonly blocker: Blocker }>();
  private last: readonly Known[] = [];
  /** Those that waited for a turn at the last look. */
  private waiting: readonly Known[] = [];
  private readonly context: StepContext;
  private readonly options: RoundOptions;

  constructor(context: StepContext, options: RoundOptions) {
    this.context = context;
    this.options = options;
  }

  /** One look; what is still in the way. Empty when all is done. */
  async once(): Promise<readonly Blocker[]> {
    const pods = await podsOn(this.context.ports.kubernetes, this.options.node);
    const present = new Map<Flight, PodObject>();
    const wanted: Known[] = [];
    this.last = this.knownOf(pods);
    for (const known of this.last) {
      const flight = this.flights.size === 0 ? undefined : this.flights.get(known.uid);
      if (flight !== undefined) present.set(flight, known.pod);
      else if (known.isWanted) wanted.push(known);
    }
    const blockers = await this.settle(present, pods);
    const starts: Promise<Blocker>[] = [];
    const waiting: Known[] = [];
    for (const known of wanted) {
      const waits = this.mustWait(known);
      if (waits === undefined) starts.push(this.start(known));
      else {
        blockers.push(waits);
        if (waits.words === WAITING) waiting.push(known);
      }
    }
    this.waiting = waiting;
    return starts.length === 0 ? blockers : [...blockers, ...(await Promise.all(starts))];
  }

  /** Turns that others gave back since the look go to those who waited for them. */
  async startWaiting(): Promise<void> {
    if (this.waiting.length === 0) return;
    await this.context.ports.clock.sleep(TURNS_OVER_MS);
    const free = this.waiting.filter((known) => this.mustWait(known) === undefined);
    this.waiting = [];
    await Promise.all(free.map((known) => this.start(known)));
  }

  /** Most pods are the same objects, in the same order, as at the last look. */
  private knownOf(pods: readonly PodObject[]): readonly Known[] {
    const { last } = this;
    let next = 0;
    return pods.map((pod) => {
      let index = next;
      while (index < last.length && last[index]?.pod !== pod) index += 1;
      const known = last[index];
      if (known === undefined) return this.lookAt(pod);
      next = index + 1;
      return known;
    });
  }

  private lookAt(pod: PodObject): Known {
    const ends = pod.metadata.deletionTimestamp !== undefined;
    return {
      pod,
      uid: uidOf(pod),
      isWanted: this.options.wants(pod),
      owner: countingOwnerOf(pod)?.uid,
      ends,
      waits: { pod, words: ends ? TERMINATING : WAITING },
      turns: undefined,
    };
  }

  /** The node's turns are given back when the step ends without them. */
  giveUp(): void {
    for (const flight of this.flights.values()) this.land(flight);
  }

  private async settle(
    present: ReadonlyMap<Flight, PodObject>,
    pods: readonly PodObject[],
  ): Promise<Blocker[]> {
    const blockers: Blocker[] = [];
    const askedAt = this.context.ports.clock.now();
    const landed: Flight[] = [];
    const asked: { readonly flight: Flight; readonly owner: Promise<OwnerState | undefined> }[] =
      [];
    for (const flight of this.flights.values()) {
      const blocker = this.waitsFor(flight, present.get(flight), pods);
      if (blocker === 'owner') {
        asked.push({ flight, owner: this.ownerOf(flight.pod) });
      } else if (blocker === undefined) landed.push(flight);
      else blockers.push(blocker);
    }
    const owners = await Promise.all(asked.map(({ owner }) => owner));
    for (const flight of landed) this.land(flight);
    for (const [index, { flight }] of asked.entries()) {
      const blocker = this.waitsForOwner(flight, owners[index], askedAt);
      // At once: the replacement that ends this turn is not that of the next.
      if (blocker === undefined) this.land(flight);
      else blockers.push(blocker);
    }
    return blockers;
  }

  /** `owner` when its owner must be asked. */
  private waitsFor(
    flight: Flight,
    present: PodObject | undefined,
    pods: readonly PodObject[],
  ): Blocker | 'owner' | undefined {
    const { pod, owner } = flight;
    if (flight.method === 'sandbox') return this.waitsForSandbox(flight, present);
    if (present !== undefined) return { pod, words: ENDING };
    if (this.options.goneIsEnough === true || !flight.wasReady) return undefined;
    if (owner !== undefined) return 'owner';
    if (!comesBackHere(pod) || replacedOnNode(pod, pods)) return undefined;
    return { pod, words: NOT_REPLACED };
  }

  private waitsForOwner(
    { pod, owner }: Flight,
    now: OwnerState | undefined,
    askedAt: number,
  ): Blocker | undefined {
    const wanted = this.context.turns.wanted(owner?.uid ?? '', askedAt);
    if (now === undefined || now.ready >= Math.min(wanted, now.replicas)) return undefined;
    return { pod, words: (name) => `${NOT_REPLACED(name)} (${now.ready} of ${now.replicas})` };
  }

  private waitsForSandbox(flight: Flight, pod: PodObject | undefined): Blocker | undefined {
    if (pod === undefined) return undefined;
    if (this.options.wants(pod)) return { pod, words: OLD_SANDBOX };
    if (flight.wasReady && !isReady(pod)) return { pod, words: UNREADY };
    return undefined;
  }

  /** What is known without asking anybody. */
  private mustWait(known: Known): Blocker | undefined {
    const { uid, owner, ends, waits } = known;
    if (ends) return waits;
    const { turns, ports } = this.context;
    const now = ports.clock.now();
    if (this.retryAt.size > 0) {
      const refused = this.retryAt.get(uid);
      if (refused !== undefined && now < refused.at) return refused.blocker;
    }
    if (owner === undefined) return undefined;
    known.turns ??= turns.of(owner);
    return known.turns !== undefined && areTaken(known.turns, now) ? waits : undefined;
  }

  private async start({ pod, uid, owner: ownerUid, waits }: Known): Promise<Blocker> {
    const { ports, turns } = this.context;
    const answered = turns.ask(ownerUid ?? '');
    let owner: OwnerState | undefined;
    try {
      owner = await this.ownerOf(pod);
    } finally {
      answered();
    }
    if (owner !== undefined && !turns.take(owner, ports.clock.now())) return waits;
    const method = this.options.methodFor(pod);
    const flight = { pod, method, owner, wasReady: isReady(pod) };
    this.flights.set(uid, flight);
    const refusal = await this.restart(pod, method);
    if (refusal === undefined) {
      if (owner !== undefined) turns.went(owner.uid, ports.clock.now());
      return { pod, words: RESTARTING };
    }
    this.flights.delete(uid);
    const at = ports.clock.now() + BUDGET_RETRY_MS;
    const blocker = { pod, words: (name: string) => `${name}: ${refusal}` };
    this.retryAt.set(uid, { at, blocker });
    if (owner !== undefined) turns.refused(owner.uid, at);
    return blocker;
  }

  /** Undefined for an owner that keeps no count: a DaemonSet, a Job, an operator's resource. */
  private ownerOf(pod: PodObject): Promise<OwnerState | undefined> {
    const owner = countingOwnerOf(pod);
    if (owner === undefined) return UNCOUNTED;
    return this.context.turns.looks.stateOf(this.context.ports, pod, owner);
  }

  /** Why not, when a budget does not allow it now. */
  private async restart(pod: PodObject, method: Method): Promise<string | undefined> {
    const { nodeHost, kubernetes } = this.context.ports;
    const { namespace = 'default', name } = pod.metadata;
    if (method === 'sandbox') {
      await nodeHost.restartSandbox(this.options.node, namespace, name);
      return undefined;
    }
    const answer = await kubernetes.evict(namespace, name);
    return answer.evicted ? undefined : answer.message;
  }

  private land(flight: Flight): void {
    this.flights.delete(uidOf(flight.pod));
    if (flight.owner !== undefined) this.context.turns.give(flight.owner.uid);
  }
}

/** Its owner makes it again on this node: a DaemonSet, or a per-node pod of an operator. */
function comesBackHere(pod: PodObject): boolean {
  return isOwnedBy(pod, 'DaemonSet') || isOwnedBy(pod, 'InstanceManager');
}

function uidOf(pod: PodObject): string {
  return pod.metadata.uid ?? showPod(pod);
}

/**
 * Evicting a pod that nobody makes again would end it, a mirror pod cannot be evicted, and a budget
 * without room never lets one go: those get a new sandbox in place.
 */
export function methodFor(
  pod: PodObject,
  strategy: 'evict-in-place' | 'reboot' | 'sandbox-restart',
  withoutRoom: readonly PodDisruptionBudgetObject[],
): Method {
  if (strategy === 'sandbox-restart' || isMirror(pod) || isBare(pod)) return 'sandbox';
  const held = withoutRoom.some(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace &&
      matchesLabels(spec.selector, pod.metadata.labels),
  );
  return held ? 'sandbox' : 'evict';
}

/** Pods to restart on the way to the new network, or, on the way back, to the old one. */
export function toBeMoved(
  context: StepContext,
  toward: 'new' | 'old',
): (pod: PodObject) => boolean {
  const { plan } = context;
  if (toward === 'new') return (pod) => isOnOldNetwork(pod, plan);
  return (pod) => pod.spec.hostNetwork !== true && hasAddressIn(pod, plan.to.podCidrs);
}
