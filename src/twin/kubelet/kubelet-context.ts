/** What the parts of one kubelet share: its place in the world, its beat, its words for events. */
import type { Random } from '../../base/random.ts';
import type { Container, NodeObject, PodObject, PodSpec } from '../../model/kubernetes.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Program, TwinNode, World } from '../world.ts';
import type { EventDetails, EventRecorder } from './event-recorder.ts';
import { eventRecorderOf } from './event-recorder.ts';
import { beatAfter, phaseOf } from './rhythm.ts';
import { present } from '../../base/assert.ts';

export type ProgramFor = (pod: PodObject, container: Container) => Program;

export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

export class KubeletContext {
  readonly world: World;
  readonly nodeName: string;
  readonly programFor: ProgramFor;
  readonly events: EventRecorder;
  readonly random: Random;
  /** When the once-a-second look at due pods falls (virtual milliseconds). */
  readonly tickPhase: number;
  /** When the once-a-second look at what the runtime has falls (virtual milliseconds). */
  private readonly relistPhase: number;
  private known: TwinNode | undefined;
  readonly images: Set<string>;
  running = true;
  /** The system has announced that it goes down. */
  shuttingDown = false;
  /** When the kubelet's process started (virtual milliseconds). */
  startedAt = -Infinity;
  /** What it tells of itself where there is no Node of its name. */
  registersAs: NodeObject | undefined;

  constructor(world: World, nodeName: string, programFor: ProgramFor, images: readonly string[]) {
    this.world = world;
    this.nodeName = nodeName;
    this.programFor = programFor;
    this.events = eventRecorderOf(world);
    this.random = world.kernel.random.fork(`kubelet/${nodeName}`);
    this.tickPhase = phaseOf(`${nodeName}/tick`, world.constants.kubeletTickMs);
    this.relistPhase = phaseOf(`${nodeName}/relist`, world.constants.containerRelistMs);
    this.images = new Set(images);
  }

  get kernel(): Kernel {
    return this.world.kernel;
  }

  /** Asked for late: a node and its kubelet need each other. */
  get node(): TwinNode {
    this.known ??= present(this.world.nodes.get(this.nodeName), `node ${this.nodeName}`);
    return this.known;
  }

  /** How long until the first look at due pods that is later than `delay` from now. */
  dueIn(delay: number): number {
    const now = this.kernel.now();
    return beatAfter(now + delay, this.tickPhase, this.world.constants.kubeletTickMs) - now;
  }

  /** Until a failed sync is tried again: the back-off × 1…1.5, at the next look after it. */
  retryIn(backOff: number): number {
    return this.dueIn(backOff * (1 + 0.5 * this.random.unit()));
  }

  /** How long until the next look at the runtime, which is how a kubelet learns that something died. */
  relistIn(): number {
    const now = this.kernel.now();
    return beatAfter(now, this.relistPhase, this.world.constants.containerRelistMs) - now;
  }

  podEvent(pod: PodObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.events.record(this.podEventDetails(pod, type, reason, message));
  }

  podEventDetails(
    pod: PodObject,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ): EventDetails {
    return {
      subject: podReference(pod),
      subjectUid: pod.metadata.uid,
      component: 'kubelet',
      host: this.nodeName,
      type,
      reason,
      message,
    };
  }
}

export function podReference(pod: PodObject): { kind: string; namespace: string; name: string } {
  return { kind: 'Pod', namespace: pod.metadata.namespace ?? 'default', name: pod.metadata.name };
}

const TOLERATES_EXECUTION = { operator: 'Exists', effect: 'NoExecute' } as const;

/**
 * The spec of a static pod as the kubelet takes it: it tolerates every NoExecute taint, so that its
 * mirror is not evicted over and over (KK pkg/kubelet/config/common.go applyDefaults).
 */
export function staticPodSpec(spec: PodSpec): PodSpec {
  const { tolerations = [] } = spec;
  const has = tolerations.some(
    ({ key, operator, effect }) =>
      key === undefined && operator === 'Exists' && (effect ?? 'NoExecute') === 'NoExecute',
  );
  return has ? spec : { ...spec, tolerations: [...tolerations, TOLERATES_EXECUTION] };
}

export function isStaticPod(pod: PodObject): boolean {
  return pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** Runs the action once the API server answers; at once if it does. */
export function whenApiAnswers(world: World, action: () => void): void {
  if (world.api.healthy()) action();
  else world.api.whenHealthy?.(action);
}
