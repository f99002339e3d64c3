/**
 * Which revision a ReplicaSet is of its Deployment, as annotations tell it: a template that comes back
 * is the newest again (KK pkg/controller/deployment/util/deployment_util.go, SetNewReplicaSetAnnotations).
 */
import type { DeploymentObject, ReplicaSetObject } from '../../model/kubernetes.ts';

export const REVISION = 'deployment.kubernetes.io/revision';

type Annotations = Readonly<Record<string, string>>;

/** What a Deployment does not hand on to its ReplicaSets. */
const OWN = new Set([
  REVISION,
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deployment.kubernetes.io/revision-history',
]);

/** By revision where it is told; else a set that still has replicas is newer than one without. */
export function revisionOf(set: ReplicaSetObject): number {
  return toldRevision(set) ?? Math.min(1, set.spec.replicas ?? 1);
}

function toldRevision({ metadata }: ReplicaSetObject): number | undefined {
  const told = Number(metadata.annotations?.[REVISION] ?? Number.NaN);
  return Number.isNaN(told) ? undefined : told;
}

/** Of the set that stands for the template, beside those that stand for older ones. */
export function newestRevision(
  current: ReplicaSetObject | undefined,
  old: readonly ReplicaSetObject[],
): number {
  const told = current === undefined ? undefined : toldRevision(current);
  return Math.max(told ?? 0, 1 + Math.max(0, ...old.map(revisionOf)));
}

/** The current set's annotations; the same object where nothing is to be changed. */
export function setAnnotations(
  { metadata }: DeploymentObject,
  revision: number,
  before: Annotations = {},
): Annotations {
  const told = Object.entries(metadata.annotations ?? {}).filter(([key]) => !OWN.has(key));
  const wanted = [...told, [REVISION, String(revision)] as const];
  if (wanted.every(([key, value]) => before[key] === value)) return before;
  return { ...before, ...Object.fromEntries(wanted) };
}
