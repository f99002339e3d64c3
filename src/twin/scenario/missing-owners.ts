/**
 * Controllers that pods name as owners but that were not read. Without them a pod that is evicted
 * would never come back on the twin, so they are put in place as their pods show them.
 */
import {
  type KubeObject,
  type OwnerReference,
  type PodAffinityRules,
  type PodObject,
  controllerOf,
  objectKey,
} from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { objectOf } from './object-of.ts';

const REBUILT = new Set(['ReplicaSet', 'StatefulSet', 'DaemonSet']);
const PLURALS: Readonly<Record<string, string>> = {
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
};

interface Orphans {
  readonly owner: OwnerReference;
  readonly pods: PodObject[];
}

export function missingOwners(objects: readonly KubeObject[]): {
  readonly owners: readonly KubeObject[];
  readonly assumptions: readonly Assumption[];
} {
  const uids = new Set(objects.map(({ metadata }) => metadata.uid));
  const orphans = new Map<string, Orphans>();
  const deployments = new Map<string, KubeObject>();
  for (const object of objects) {
    if (object.kind === 'Deployment') deployments.set(objectKey(object), object);
    if (object.kind !== 'Pod') continue;
    const pod = object as PodObject; // the kind says so
    const owner = controllerOf(pod);
    if (owner === undefined || uids.has(owner.uid) || !REBUILT.has(owner.kind)) continue;
    const found = orphans.get(owner.uid) ?? { owner, pods: [] };
    orphans.set(owner.uid, found);
    found.pods.push(pod);
  }
  const owners = [...orphans.values()].map((orphan) =>
    rebuilt(orphan, deploymentOf(orphan, deployments)),
  );
  return { owners, assumptions: assumptionsFor(owners) };
}

function rebuilt({ owner, pods }: Orphans, deployment: KubeObject | undefined): KubeObject {
  const [pod] = pods;
  const labels = withoutNames(pod?.metadata.labels ?? {});
  return objectOf({
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    metadata: {
      name: owner.name,
      namespace: pod?.metadata.namespace ?? 'default',
      uid: owner.uid,
      labels,
      ...(pod?.metadata.creationTimestamp === undefined
        ? {}
        : { creationTimestamp: pod.metadata.creationTimestamp }),
      ...(deployment?.metadata.uid === undefined
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: 'apps/v1',
                kind: 'Deployment',
                name: deployment.metadata.name,
                uid: deployment.metadata.uid,
                controller: true,
              },
            ],
          }),
    },
    spec: {
      ...(owner.kind === 'DaemonSet' ? {} : { replicas: pods.length }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: templateSpec(owner, pod) },
      ...(owner.kind === 'StatefulSet' ? { volumeClaimTemplates: claimTemplatesOf(pod) } : {}),
    },
    status: { replicas: pods.length, readyReplicas: pods.length },
  });
}

/** `web-568c7f9b5b` belongs to Deployment `web` of the namespace, if that was read. */
function deploymentOf(
  { owner, pods }: Orphans,
  deployments: ReadonlyMap<string, KubeObject>,
): KubeObject | undefined {
  if (owner.kind !== 'ReplicaSet') return undefined;
  const name = owner.name.slice(0, owner.name.lastIndexOf('-'));
  return deployments.get(`${pods[0]?.metadata.namespace ?? 'default'}/${name}`);
}

/**
 * The template as the pod shows it, without what scheduler, admission and its controller gave this
 * one pod: its node, by name or by affinity (daemonset_util.go, ReplaceDaemonSetPodNodeNameNodeAffinity),
 * its token, and its own claims.
 */
function templateSpec({ kind }: OwnerReference, pod: PodObject | undefined): unknown {
  if (pod === undefined) return { containers: [] };
  const { nodeName: _node, affinity, ...spec } = pod.spec;
  const claims = new Set(
    kind === 'StatefulSet' ? claimTemplatesOf(pod).map(({ metadata }) => metadata.name) : [],
  );
  const volumes = (spec.volumes ?? []).filter(
    ({ name }) => !name.startsWith('kube-api-access-') && !claims.has(name),
  );
  const kept = kind === 'DaemonSet' ? withoutNode(affinity) : affinity;
  return { ...spec, volumes, ...(kept === undefined ? {} : { affinity: kept }) };
}

function withoutNode(affinity: PodAffinityRules | undefined): PodAffinityRules | undefined {
  const { nodeAffinity, ...others } = affinity ?? {};
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = (required?.nodeSelectorTerms ?? [])
    .map(({ matchFields: _fields, ...term }) => term)
    .filter(({ matchExpressions = [] }) => matchExpressions.length > 0);
  if (terms.length === 0) return others;
  return {
    ...others,
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
  };
}

/** Volume `data` on claim `data-db-0` of pod `db-0` came from a claim template. */
function claimTemplatesOf(pod: PodObject | undefined): readonly { metadata: { name: string } }[] {
  return (pod?.spec.volumes ?? [])
    .filter(
      ({ name, persistentVolumeClaim: claim }) =>
        claim?.claimName === `${name}-${pod?.metadata.name ?? ''}`,
    )
    .map(({ name }) => ({ metadata: { name } }));
}

function withoutNames(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = new Set([
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
    'controller-revision-hash',
    'pod-template-generation',
  ]);
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !own.has(key)));
}

function assumptionsFor(owners: readonly KubeObject[]): readonly Assumption[] {
  return Object.entries(PLURALS).flatMap(([kind, plural]) => {
    const count = owners.filter((owner) => owner.kind === kind).length;
    if (count === 0) return [];
    return [
      {
        about: `${count} ${kind}${count === 1 ? '' : 's'} that pods name as their owner`,
        assumed: 'each wants as many pods as were read, made like the first of them',
        because: `pods were read without the ${kind} that owns them`,
        command: `kubectl get ${plural} -A -o yaml`,
      },
    ];
  });
}
