/** The objects of an input by kind, found in one pass: a snapshot may hold a hundred thousand. */
import type { ReadObject } from '../../model/cluster-input.ts';
import type { ConfigMapObject, Container, KubeObject, PodSpec } from '../../model/kubernetes.ts';

export interface ObjectIndex {
  /** By `Kind.group` (`DaemonSet.apps`, `Pod.` for the core group). */
  of(kind: string): readonly ReadObject[];
  find(kind: string, namespace: string, name: string): ReadObject | undefined;
  readonly rest: readonly ReadObject[];
}

/** Kinds that the facts have lists of their own for. */
const LISTED = new Set([
  'Node.',
  'Pod.',
  'DaemonSet.apps',
  'Deployment.apps',
  'StatefulSet.apps',
  'Service.',
  'PodDisruptionBudget.policy',
  'NetworkPolicy.networking.k8s.io',
  'CiliumNetworkPolicy.cilium.io',
  'CiliumClusterwideNetworkPolicy.cilium.io',
  'NetworkPolicy.crd.projectcalico.org',
  'GlobalNetworkPolicy.crd.projectcalico.org',
  'NetworkPolicy.projectcalico.org',
  'GlobalNetworkPolicy.projectcalico.org',
  'AdminNetworkPolicy.policy.networking.k8s.io',
  'BaselineAdminNetworkPolicy.policy.networking.k8s.io',
  'PersistentVolume.',
  'ValidatingWebhookConfiguration.admissionregistration.k8s.io',
  'MutatingWebhookConfiguration.admissionregistration.k8s.io',
]);

export const POLICY_KINDS = [...LISTED].filter((kind) => /NetworkPolicy\./.test(kind));

export function indexObjects(objects: readonly ReadObject[]): ObjectIndex {
  const byKind = new Map<string, ReadObject[]>();
  const rest: ReadObject[] = [];
  for (const read of objects) {
    const kind = kindKey(read.object);
    const list = byKind.get(kind);
    if (list === undefined) byKind.set(kind, [read]);
    else list.push(read);
    if (!LISTED.has(kind)) rest.push(read);
  }
  const of = (kind: string): readonly ReadObject[] => byKind.get(kind) ?? [];
  const find = (kind: string, namespace: string, name: string): ReadObject | undefined =>
    of(kind).find(
      ({ object: { metadata } }) =>
        metadata.name === name && (metadata.namespace ?? '') === namespace,
    );
  return { of, find, rest };
}

function kindKey({ apiVersion, kind }: KubeObject): string {
  const slash = apiVersion.indexOf('/');
  return `${kind}.${slash < 0 ? '' : apiVersion.slice(0, slash)}`;
}

/** `--name=value` or `--name value` among the words of any container. */
export function flagIn(spec: PodSpec, flag: string): string | undefined {
  for (const container of spec.containers) {
    const words = [...(container.command ?? []), ...(container.args ?? [])].map(String);
    for (const [index, word] of words.entries()) {
      if (word.startsWith(`${flag}=`)) return word.slice(flag.length + 1);
      if (word === flag) return words[index + 1];
    }
  }
  return undefined;
}

/** `ghcr.io/siderolabs/flannel:v0.26.7@sha256:…` → `ghcr.io/siderolabs/flannel`, `0.26.7`. */
export function imageOf({ image }: Container): {
  readonly name: string;
  readonly tag: string | undefined;
} {
  const plain = (image ?? '').replace(/@.*$/, '');
  const tag = /:([^:/]+)$/.exec(plain)?.[1];
  return { name: plain.replace(/:[^:/]*$/, ''), tag: tag?.replace(/^v(?=\d)/, '') };
}

export function dataOf(read: ReadObject | undefined, key: string): string | undefined {
  return read === undefined ? undefined : (read.object as ConfigMapObject).data?.[key]; // asked of ConfigMaps only
}
