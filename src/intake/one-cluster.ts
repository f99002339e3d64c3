/**
 * The objects of one cluster, each once. A snapshot may hold an object in several files, as it was
 * at different times; files of two clusters among one another are told by what each has one of.
 */
import { badInput } from '../base/errors.ts';
import type { ClusterInput, ReadObject } from '../model/cluster-input.ts';
import type { KubeObject } from '../model/kubernetes.ts';

/** Made once, with the cluster, and never again. */
const IDENTITIES = new Set(['Namespace. /kube-system', 'Service. default/kubernetes']);

/** Throws `bad-input` where two clusters were read. Of one object the newest reading counts. */
export function oneCluster(input: ClusterInput): ClusterInput {
  const byKey = new Map<string, ReadObject>();
  for (const read of input.objects) {
    const key = keyOf(read.object);
    const before = byKey.get(key);
    if (before !== undefined && IDENTITIES.has(key)) sameCluster(before, read);
    if (before === undefined || !isOlder(read.object, before.object)) byKey.set(key, read);
  }
  if (byKey.size === input.objects.length) return input;
  return { ...input, objects: [...byKey.values()] };
}

function keyOf({ apiVersion, kind, metadata }: KubeObject): string {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return `${kind}.${group} ${metadata.namespace ?? ''}/${metadata.name}`;
}

function sameCluster(before: ReadObject, read: ReadObject): void {
  const uids = [before, read].map(({ object }) => object.metadata.uid);
  if (uids[0] === uids[1] || uids.includes(undefined)) return;
  const { kind, metadata } = read.object;
  const name = [metadata.namespace, metadata.name].filter((part) => part !== undefined).join('/');
  throw badInput(
    `the files are of two clusters: ${kind} ${name} has the UID ${uids[0] ?? ''} in ${before.source.file ?? 'one'} and ${uids[1] ?? ''} here`,
    read.source,
    'Give the files of one cluster at a time.',
  );
}

/** Resource versions of one cluster count up; where one is not told, the order of reading decides. */
function isOlder(object: KubeObject, than: KubeObject): boolean {
  const [own, other] = [object, than].map(({ metadata }) => Number(metadata.resourceVersion));
  return own !== undefined && other !== undefined && own < other;
}
