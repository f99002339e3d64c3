/**
 * Takes away what regauge kept in a cluster, when nothing there needs it any more: after a way back
 * that is through, the cluster is as if regauge had never been there. Backups and the audit log stay
 * with whoever ran it.
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import {
  IN_EVERY_NAMESPACE,
  OWN_LABELS,
  OWN_NAMESPACE,
  OWN_NAMESPACE_ADDRESS,
} from '../../model/own-objects.ts';
import type { KubernetesPort } from '../../ports/index.ts';

/** Kinds that others could have put there; a namespace that holds theirs stays. */
const KINDS = [
  ['v1', 'ConfigMap'],
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'Deployment'],
] as const;

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
      } else if (!IN_EVERY_NAMESPACE.has(name) && metadata.ownerReferences === undefined) {
        foreign.push(`${kind} ${name}`);
      }
    }
  }
  const namespace = await kubernetes.get<KubeObject>(OWN_NAMESPACE_ADDRESS);
  if (foreign.length === 0 && isOwn(namespace?.metadata.labels))
    await kubernetes.delete(OWN_NAMESPACE_ADDRESS);
  return foreign;
}

function isOwn(labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(OWN_LABELS).every(([key, value]) => labels?.[key] === value);
}
