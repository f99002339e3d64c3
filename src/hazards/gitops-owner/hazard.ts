/** FM-05: a GitOps controller owns what the migration changes, and puts it back. */
import type { ReadObject } from '../../model/cluster-input.ts';
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
import { locate, nameOf, objectsOf, textAt } from '../objects.ts';

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

/** Names of objects that a migration patches, scales or deletes. */
const TOUCHED =
  /^(cilium(-config|-operator|-envoy)?|kube-flannel(-ds|-cfg)?|flannel|kube-proxy|coredns|canal|calico-node|calico-config|kindnet|rke2-(canal|coredns|cilium).*)$/;

type Kind = 'Argo CD' | 'Flux Kustomization' | 'Flux HelmRelease' | 'Fleet';

interface Owner {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly path: readonly string[];
}

function foretell(facts: ClusterFacts): Foretelling {
  const { daemonSets, deployments } = facts.workloads;
  const touched: readonly Located<KubeObject>[] = [
    ...daemonSets,
    ...deployments,
    ...objectsOf(facts, 'ConfigMap', 'CiliumNodeConfig').map(locate),
  ].filter(({ value }) => TOUCHED.test(value.metadata.name) || value.kind === 'CiliumNodeConfig');
  const owned = new Map<string, { owner: Owner; objects: Located<KubeObject>[] }>();
  for (const object of touched) {
    const owner = ownerOf(object.value);
    if (owner === undefined) continue;
    const key = JSON.stringify([owner.kind, owner.namespace, owner.name]);
    const entry = owned.get(key) ?? { owner, objects: [] };
    entry.objects.push(object);
    owned.set(key, entry);
  }
  const findings = [...owned.values()].flatMap(({ owner, objects }) =>
    describe(facts, owner, objects),
  );
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.workloads));
}

function ownerOf({ metadata }: KubeObject): Owner | undefined {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata;
  const tracking = annotations['argocd.argoproj.io/tracking-id'];
  if (tracking !== undefined) {
    const path = ['metadata', 'annotations', 'argocd.argoproj.io/tracking-id'];
    return { kind: 'Argo CD', namespace: undefined, name: tracking.split(':')[0] ?? '', path };
  }
  for (const [kind, prefix] of [
    ['Flux Kustomization', 'kustomize.toolkit.fluxcd.io'],
    ['Flux HelmRelease', 'helm.toolkit.fluxcd.io'],
  ] as const) {
    const name = labels[`${prefix}/name`];
    const path = ['metadata', 'labels', `${prefix}/name`];
    if (name !== undefined) return { kind, namespace: labels[`${prefix}/namespace`], name, path };
  }
  const bundle = labels['fleet.cattle.io/bundle-id'] ?? annotations['objectset.rio.cattle.io/id'];
  if (bundle !== undefined) {
    return { kind: 'Fleet', namespace: undefined, name: bundle, path: ['metadata'] };
  }
  const argo = managedFields.some(({ manager }) => manager === 'argocd-controller');
  if (!argo) return undefined;
  const name = labels['app.kubernetes.io/instance'] ?? 'unknown application';
  return { kind: 'Argo CD', namespace: undefined, name, path: ['metadata', 'managedFields'] };
}

function describe(
  facts: ClusterFacts,
  owner: Owner,
  objects: readonly Located<KubeObject>[],
): readonly Finding[] {
  const state = stateOf(facts, owner);
  if (state === 'suspended') return [];
  const names = objects.map(({ value }) => nameOf(value));
  const certainty: Certainty = state === 'active' ? 'proven' : 'likely';
  return [
    finding(hazard, {
      certainty,
      message: `${owner.kind} ${owner.name} owns ${listOf(names)}, which the migration changes. While it reconciles, it writes its own version back or deletes what its repository does not hold, so a step is undone seconds to minutes after it was done.`,
      evidence: firstOf(
        objects.map((object) =>
          evidenceIn(facts, object, owner.path, `${owner.kind} ${owner.name}`),
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
function stateOf(facts: ClusterFacts, owner: Owner): 'active' | 'suspended' | 'unread' {
  const kinds = {
    'Argo CD': 'Application',
    'Flux Kustomization': 'Kustomization',
    'Flux HelmRelease': 'HelmRelease',
    Fleet: 'Bundle',
  };
  const own = objectsOf(facts, kinds[owner.kind]).find(
    ({ object }) =>
      object.metadata.name === owner.name &&
      (owner.namespace === undefined || object.metadata.namespace === owner.namespace),
  );
  if (own === undefined) return 'unread';
  return isSuspended(owner.kind, own) ? 'suspended' : 'active';
}

function isSuspended(kind: Kind, own: ReadObject): boolean {
  if (kind === 'Argo CD') {
    const skip = ['metadata', 'annotations', 'argocd.argoproj.io/skip-reconcile'];
    return own.tree.at('spec.syncPolicy.automated') === undefined || textAt(own, skip) === 'true';
  }
  return own.tree.at(kind === 'Fleet' ? 'spec.paused' : 'spec.suspend')?.value === true;
}

function commandFor({ kind, namespace, name }: Owner): { readonly command?: string } {
  const inNamespace = namespace === undefined ? '' : ` -n ${namespace}`;
  switch (kind) {
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
