/**
 * Looking things up in facts the way several hazards need it: objects by kind, and the pod specs of
 * a cluster, each once, with the object that owns it.
 */
import type { ReadObject } from '../model/cluster-input.ts';
import type { Located, TreePath } from '../model/config-tree.ts';
import type { ClusterFacts } from '../model/facts.ts';
import { controllerOf } from '../model/kubernetes.ts';
import type { Container, KubeObject, PodObject, PodSpec } from '../model/kubernetes.ts';

/** Objects of these kinds that have no list of their own in the facts. */
export function objectsOf(facts: ClusterFacts, ...kinds: readonly string[]): readonly ReadObject[] {
  return facts.otherObjects.filter(({ object }) => kinds.includes(object.kind));
}

/** Objects whose apiVersion is of the group (`longhorn.io`), of one kind where it is given. */
export function objectsOfGroup(
  facts: ClusterFacts,
  group: string,
  kind?: string,
): readonly ReadObject[] {
  return facts.otherObjects.filter(
    ({ object }) =>
      object.apiVersion.startsWith(`${group}/`) && (kind === undefined || object.kind === kind),
  );
}

export function textAt(read: ReadObject, path: TreePath): string | undefined {
  const value = read.tree.at(path)?.value;
  return typeof value === 'string' ? value : undefined;
}

export function numberAt(read: ReadObject, path: TreePath): number | undefined {
  const value = read.tree.at(path)?.value;
  return typeof value === 'number' ? value : undefined;
}

/** A ReadObject as the located object that evidence is drawn from. */
export function locate({ object, source }: ReadObject): Located<KubeObject> {
  return { value: object, source };
}

/** A pod spec with the object it was read from: a workload's template, or a pod of its own. */
export interface Template {
  readonly owner: Located<KubeObject>;
  /** Path of the pod spec inside the owner. */
  readonly path: 'spec' | 'spec.template.spec';
  readonly spec: PodSpec;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Undefined for what runs once per node. */
  readonly replicas: number | undefined;
}

/**
 * The pod specs of the cluster, each workload once: its template, and pods only where the workload
 * that owns them was not read (then the first pod of each owner).
 */
export function templates(facts: ClusterFacts): readonly Template[] {
  const present = cache.get(facts);
  if (present !== undefined) return present;
  const found = gather(facts);
  cache.set(facts, found);
  return found;
}

/** Facts never change, and a score of hazards ask for the same pod specs. */
const cache = new WeakMap<ClusterFacts, readonly Template[]>();

function gather(facts: ClusterFacts): readonly Template[] {
  const { daemonSets, deployments, statefulSets, pods } = facts.workloads;
  const owned = [
    ...daemonSets.map((owner) => templateOf(owner, undefined)),
    ...deployments.map((owner) => templateOf(owner, owner.value.spec.replicas ?? 1)),
    ...statefulSets.map((owner) => templateOf(owner, owner.value.spec.replicas ?? 1)),
  ];
  const seen = new Set(owned.map(({ owner }) => keyOf(owner.value)));
  const rest: Template[] = [];
  for (const pod of pods) {
    const key = ownerKey(pod.value);
    if (seen.has(key)) continue;
    seen.add(key);
    const { spec, metadata } = pod.value;
    const { labels = {}, annotations = {} } = metadata;
    rest.push({ owner: pod, path: 'spec', spec, labels, annotations, replicas: 1 });
  }
  return [...owned, ...rest];
}

type Workload = ClusterFacts['workloads']['deployments' | 'daemonSets' | 'statefulSets'][number];

function templateOf(owner: Workload, replicas: number | undefined): Template {
  const { metadata, spec } = owner.value.spec.template;
  const { labels = {}, annotations = {} } = metadata ?? {};
  return { owner, path: 'spec.template.spec', spec, labels, annotations, replicas };
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}

/** The key of the workload that made the pod; a ReplicaSet stands for its Deployment. */
function ownerKey(pod: PodObject): string {
  const owner = controllerOf(pod);
  if (owner === undefined || owner.kind === 'Node') return keyOf(pod);
  const deployed =
    owner.kind === 'ReplicaSet' ? /^(.+)-[a-z0-9]+$/.exec(owner.name)?.[1] : undefined;
  const kind = deployed === undefined ? owner.kind : 'Deployment';
  return `${kind}/${pod.metadata.namespace ?? ''}/${deployed ?? owner.name}`;
}

/** `ghcr.io/siderolabs/flannel:v0.26.7` → `ghcr.io/siderolabs/flannel`. */
export function imageName(image: string | undefined): string {
  return (image ?? '').replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}

export function containersOf(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** The workload runs an image whose repository path ends with one of the names. */
export function runsImage(spec: PodSpec, ...names: readonly string[]): boolean {
  return containersOf(spec).some(({ image }) =>
    names.some((name) => `/${imageName(image)}`.endsWith(`/${name}`)),
  );
}

/** `--name=value`, or `--name value`, of a container's command and arguments. */
export function flagOf({ command = [], args = [] }: Container, name: string): string | undefined {
  const words = [...command, ...args];
  const index = words.findIndex((word) => word === name || word.startsWith(`${name}=`));
  if (index < 0) return undefined;
  const word = words[index] ?? '';
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : words[index + 1];
}

/** `Deployment shop/front`, for messages. */
export function nameOf({ kind, metadata }: KubeObject): string {
  const { namespace, name } = metadata;
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
