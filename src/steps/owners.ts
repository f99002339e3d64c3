/**
 * The owner of a pod as a restart sees it: how many replicas, how many ready, and whether the
 * replacement of a pod has come. One `get` per look; never a scan over all pods.
 */
import {
  controllerOf,
  type KubeObject,
  type OwnerReference,
  type PodObject,
} from '../model/kubernetes.ts';
import type { KubernetesPort, Ports } from '../ports/index.ts';
import { isReady } from './pods.ts';

interface Replicated extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

/** Kinds that count their replicas in their status. */
const COUNTING = new Set(['ReplicaSet', 'StatefulSet', 'ReplicationController']);

export interface OwnerState {
  readonly uid: string;
  readonly replicas: number;
  readonly ready: number;
}

/** The owner of the pod, when it is of a kind that keeps count. */
export function countingOwnerOf(pod: PodObject): OwnerReference | undefined {
  const owner = controllerOf(pod);
  return owner !== undefined && COUNTING.has(owner.kind) ? owner : undefined;
}

/**
 * Asks for owners. Nodes of a wave look at their pods at the same moments, and their pods have owners
 * in common: who asks at the same moment for the same owner shares the answer.
 */
export class OwnerLooks {
  private readonly asked = new Map<string, Promise<OwnerState | undefined>>();
  private at = -Infinity;

  /** The owner's state as of now (the clock's milliseconds); undefined when it is gone. */
  stateOf(
    { kubernetes, clock }: Pick<Ports, 'kubernetes' | 'clock'>,
    pod: PodObject,
    owner: OwnerReference,
  ): Promise<OwnerState | undefined> {
    const now = clock.now();
    if (now !== this.at) this.asked.clear();
    this.at = now;
    let state = this.asked.get(owner.uid);
    if (state === undefined) {
      this.asked.set(owner.uid, (state = ownerState(kubernetes, pod, owner)));
    }
    return state;
  }
}

/** Of an owner of the pod that keeps count; undefined when it is gone. */
async function ownerState(
  kubernetes: KubernetesPort,
  pod: PodObject,
  owner: OwnerReference,
): Promise<OwnerState | undefined> {
  const found = await getOwner(kubernetes, pod, owner);
  if (found === undefined) return undefined;
  return {
    uid: owner.uid,
    replicas: found.spec?.replicas ?? 1,
    ready: found.status?.readyReplicas ?? 0,
  };
}

function getOwner(
  kubernetes: KubernetesPort,
  pod: PodObject,
  owner: OwnerReference,
): Promise<Replicated | undefined> {
  return kubernetes.get<Replicated>({
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.name,
    ...(pod.metadata.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
  });
}

/** For an owner that keeps no count: a ready pod of the same owner on the same node, but not the old one. */
export function replacedOnNode(old: PodObject, nodePods: readonly PodObject[]): boolean {
  const owner = controllerOf(old);
  if (owner === undefined) return true;
  return nodePods.some(
    (pod) =>
      pod.metadata.uid !== old.metadata.uid && controllerOf(pod)?.uid === owner.uid && isReady(pod),
  );
}
