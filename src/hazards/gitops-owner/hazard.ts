/** FM-05: a GitOps controller owns what the migration changes, and puts it back. */
import {
  type GitOpsOwner,
  gitOpsOwnerOf,
  isSuspended,
  isTouchedByMigration,
  OWNER_KINDS,
} from '../../knowledge/gitops-owners.ts';
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import type { Certainty, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import {
  evidenceIn,
  finding,
  firstOf,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { locate, nameOf, objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'gitops-owner',
  covers: ['FM-05'],
  title: 'A GitOps controller owns what the migration changes',
  severity: 'high',
  holdsFor: 'Argo CD 2 and 3, Flux 2, Rancher Fleet',
  why: 'Self-healing and pruning controllers compare the cluster with a repository every few seconds to minutes. A label, node selector, ConfigMap or DaemonSet that the migration changes and the repository does not know is changed back or deleted, in the middle of a step.',
  references: [
    'cilium/cilium#43569',
    'Faisal-Hajari/ai-platform#9',
    'Faisal-Hajari/ai-platform#38',
  ],
  foretell,
  signs: { occurrences: ['gitops.reverted'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const { daemonSets, deployments } = facts.workloads;
  const touched: readonly Located<KubeObject>[] = [
    ...daemonSets,
    ...deployments,
    ...objectsOf(facts, 'ConfigMap', 'CiliumNodeConfig').map(locate),
  ].filter(({ value }) => isTouchedByMigration(value));
  const owned = new Map<string, { owner: GitOpsOwner; objects: Located<KubeObject>[] }>();
  for (const object of touched) {
    const owner = gitOpsOwnerOf(object.value);
    if (owner === undefined) continue;
    const key = JSON.stringify([owner.tool, owner.namespace, owner.name]);
    const entry = owned.get(key) ?? { owner, objects: [] };
    entry.objects.push(object);
    owned.set(key, entry);
  }
  const findings = [...owned.values()].flatMap(({ owner, objects }) =>
    describe(facts, owner, objects),
  );
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.workloads));
}

function describe(
  facts: ClusterFacts,
  owner: GitOpsOwner,
  objects: readonly Located<KubeObject>[],
): readonly Finding[] {
  const state = stateOf(facts, owner);
  if (state === 'suspended') return [];
  const names = objects.map(({ value }) => nameOf(value));
  const certainty: Certainty = state === 'active' ? 'proven' : 'likely';
  return [
    finding(hazard, {
      certainty,
      message: `${owner.tool} ${owner.name} owns ${listOf(names)}, which the migration changes. While it reconciles, it writes its own version back or deletes what its repository does not hold, so a step is undone seconds to minutes after it was done.`,
      evidence: firstOf(
        objects.map((object) =>
          evidenceIn(facts, object, owner.path, `${owner.tool} ${owner.name}`),
        ),
      ),
      fix: {
        summary: `Suspend exactly this owner before the first step (and the parent that would switch it on again), commit the new state, and let it go on at the end.`,
        ...commandFor(owner),
      },
    }),
  ];
}

/** `unread`: the owner's own object was not read, so whether it reconciles is not known. */
function stateOf(facts: ClusterFacts, owner: GitOpsOwner): 'active' | 'suspended' | 'unread' {
  const own = objectsOf(facts, OWNER_KINDS[owner.tool]).find(
    ({ object }) =>
      object.metadata.name === owner.name &&
      (owner.namespace === undefined || object.metadata.namespace === owner.namespace),
  );
  if (own === undefined) return 'unread';
  return isSuspended(own.object) ? 'suspended' : 'active';
}

function commandFor({ tool, namespace, name }: GitOpsOwner): { readonly command?: string } {
  const inNamespace = namespace === undefined ? '' : ` -n ${namespace}`;
  switch (tool) {
    case 'Argo CD':
      return { command: `argocd app set ${name} --sync-policy none` };
    case 'Flux Kustomization':
      return { command: `flux suspend kustomization ${name}${inNamespace}` };
    case 'Flux HelmRelease':
      return { command: `flux suspend helmrelease ${name}${inNamespace}` };
    case 'Fleet':
      return {};
  }
}
