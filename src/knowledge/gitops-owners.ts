/**
 * Which GitOps controller owns an object, how its owner is told to let go, and whether it has.
 * Source: knowledge failure-domains.md 2.7 (argoproj/argo-cd@37ee0097, fluxcd/kustomize-controller@186fb3b,
 * fluxcd/helm-controller@0f61a86).
 */
import type { KubeObject } from '../model/kubernetes.ts';

export type GitOpsTool = 'Argo CD' | 'Flux Kustomization' | 'Flux HelmRelease' | 'Fleet';

export interface GitOpsOwner {
  readonly tool: GitOpsTool;
  /** Undefined where the mark does not tell. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** Where the owned object says so. */
  readonly path: readonly string[];
}

/** The kind of the owner's own object. */
export const OWNER_KINDS: Readonly<Record<GitOpsTool, string>> = {
  'Argo CD': 'Application',
  'Flux Kustomization': 'Kustomization',
  'Flux HelmRelease': 'HelmRelease',
  Fleet: 'Bundle',
};

const TRACKING = 'argocd.argoproj.io/tracking-id';
const SKIP = 'argocd.argoproj.io/skip-reconcile';

const FLUX = [
  ['Flux Kustomization', 'kustomize.toolkit.fluxcd.io'],
  ['Flux HelmRelease', 'helm.toolkit.fluxcd.io'],
] as const;

export function gitOpsOwnerOf({ metadata }: KubeObject): GitOpsOwner | undefined {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata;
  const tracking = annotations[TRACKING];
  if (tracking !== undefined) {
    const path = ['metadata', 'annotations', TRACKING];
    return { tool: 'Argo CD', namespace: undefined, name: tracking.split(':')[0] ?? '', path };
  }
  for (const [tool, prefix] of FLUX) {
    const name = labels[`${prefix}/name`];
    const path = ['metadata', 'labels', `${prefix}/name`];
    if (name !== undefined) return { tool, namespace: labels[`${prefix}/namespace`], name, path };
  }
  const bundle = labels['fleet.cattle.io/bundle-id'] ?? annotations['objectset.rio.cattle.io/id'];
  if (bundle !== undefined)
    return { tool: 'Fleet', namespace: undefined, name: bundle, path: ['metadata'] };
  const argo = managedFields.some(({ manager }) => manager === 'argocd-controller');
  if (!argo) return undefined;
  const name = labels['app.kubernetes.io/instance'] ?? 'unknown application';
  return { tool: 'Argo CD', namespace: undefined, name, path: ['metadata', 'managedFields'] };
}

/** Objects that a CNI migration patches, scales or deletes. */
export function isTouchedByMigration({ kind, metadata }: KubeObject): boolean {
  return kind === 'CiliumNodeConfig' || TOUCHED.test(metadata.name);
}

const TOUCHED =
  /^(cilium(-config|-operator|-envoy)?|kube-flannel(-ds|-cfg)?|flannel|kube-proxy|coredns|canal|calico-node|calico-config|kindnet|rke2-(canal|coredns|cilium).*)$/;

/** The owner leaves its objects alone: `owner` is its own object. */
export function isSuspended(owner: KubeObject): boolean {
  const spec = specOf(owner);
  switch (owner.kind) {
    case 'Application':
      return (
        owner.metadata.annotations?.[SKIP] === 'true' ||
        tableAt(spec, 'syncPolicy')['automated'] === undefined
      );
    case 'Bundle':
      return spec['paused'] === true;
    default:
      return spec['suspend'] === true;
  }
}

/** The merge patch that makes it leave them alone, or takes that back. */
export function suspensionPatch(
  kind: string,
  suspended: boolean,
): { readonly annotations: Readonly<Record<string, string | null>>; readonly spec: Table } {
  if (kind === 'Application')
    return { annotations: { [SKIP]: suspended ? 'true' : null }, spec: {} };
  const field = kind === 'Bundle' ? 'paused' : 'suspend';
  return { annotations: {}, spec: { [field]: suspended ? true : null } };
}

type Table = Readonly<Record<string, unknown>>;

function specOf(object: KubeObject): Table {
  return tableAt(object as unknown as Table, 'spec'); // a custom resource: its spec has no type here
}

function tableAt(table: Table, key: string): Table {
  const value = table[key];
  return value !== null && typeof value === 'object' ? (value as Table) : {}; // checked above
}
