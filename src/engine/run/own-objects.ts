/**
 * Takes away what regauge kept in a cluster, when nothing there needs it any more: after a way back
 * that is through, the cluster is as if regauge had never been there. Backups and the audit log stay
 * with whoever ran it.
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import { OWN_LABELS, OWN_NAMESPACE } from '../../model/own-objects.ts';
import type { KubernetesPort, ObjectAddress } from '../../ports/index.ts';

const NAMESPACE: ObjectAddress = { apiVersion: 'v1', kind: 'Namespace', name: OWN_NAMESPACE };

/** Kinds that others could have put there; a namespace that holds theirs stays. */
const KINDS = [
  ['v1', 'ConfigMap'],
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'Deployment'],
] as const;

/** What the API server puts into every namespace. */
const BUILT_IN = new Set(['kube-root-ca.crt', 'istio-ca-root-cert']);

/** What was left, as `Kind name`: objects of others, for which the namespace stays. */
export async function removeOwnObjects(kubernetes: KubernetesPort): Promise<readonly string[]> {
  const foreign: string[] = [];
  for (const [apiVersion, kind] of KINDS) {
    const objects = await kubernetes.list<KubeObject>(apiVersion, kind, {
      namespace: OWN_NAMESPACE,
    });
    for (const { metadata } of objects) {
      const { name } = metadata;
      if (isOwn(metadata.labels)) {
        await kubernetes.delete({ apiVersion, kind, namespace: OWN_NAMESPACE, name });
      } else if (!BUILT_IN.has(name) && metadata.ownerReferences === undefined) {
        foreign.push(`${kind} ${name}`);
      }
    }
  }
  const namespace = await kubernetes.get<KubeObject>(NAMESPACE);
  if (foreign.length === 0 && isOwn(namespace?.metadata.labels)) await kubernetes.delete(NAMESPACE);
  return foreign;
}

function isOwn(labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(OWN_LABELS).every(([key, value]) => labels?.[key] === value);
}
