/** The GitOps owners of what the plan changes: suspended before the first change, named at the end. */
import {
  gitOpsOwnerOf,
  isSuspended,
  isTouchedByMigration,
  OWNER_KINDS,
} from '../knowledge/gitops-owners.ts';
import type { ClusterFacts } from '../model/facts.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { type ObjectSelector, selectorOf } from '../model/plan.ts';
import { decide, type Notes } from './situation.ts';

/** Those whose own object was read and that reconcile now. */
export function gitOwners(facts: ClusterFacts, notes: Notes): readonly ObjectSelector[] {
  const owners = new Map<string, ObjectSelector>();
  const unread = new Set<string>();
  for (const object of touched(facts)) {
    const owner = gitOpsOwnerOf(object);
    if (owner === undefined) continue;
    const kind = OWNER_KINDS[owner.tool];
    const own = facts.otherObjects.find(
      ({ object: { kind: of, metadata } }) =>
        of === kind &&
        metadata.name === owner.name &&
        (owner.namespace === undefined || metadata.namespace === owner.namespace),
    )?.object;
    if (own === undefined) unread.add(`${owner.tool} ${owner.name}`);
    else if (!isSuspended(own)) owners.set(`${kind} ${owner.name}`, selectorOf(own));
  }
  note(notes, [...owners.values()], [...unread]);
  return [...owners.values()];
}

function touched({ workloads, otherObjects }: ClusterFacts): readonly KubeObject[] {
  const { daemonSets, deployments } = workloads;
  return [
    ...daemonSets.map(({ value }) => value),
    ...deployments.map(({ value }) => value),
    ...otherObjects.map(({ object }) => object),
  ].filter(isTouchedByMigration);
}

function note(notes: Notes, owners: readonly ObjectSelector[], unread: readonly string[]): void {
  if (owners.length > 0) {
    decide(
      notes,
      'GitOps owners',
      `${owners.map(({ name }) => name).join(', ')} suspended, and left so`,
      'a controller that goes on before its repository says what the cluster is now would put Flannel and kube-proxy back (FM-05); the end of the runbook has the commands',
    );
  }
  if (unread.length > 0) {
    decide(
      notes,
      'GitOps owners that were not read',
      `${unread.join(', ')}: suspend by hand`,
      'they own what the plan changes and would change it back; add their own objects to the input to have it done',
    );
  }
}
