/**
 * Controllers that pods name as owners but that were not read. Without them a pod that is evicted
 * would never come back on the twin, so they are put in place as their pods show them.
 */
import {
  type KubeObject,
  type OwnerReference,
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
      template: { metadata: { labels }, spec: templateSpec(pod) },
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

/** The template as the pod shows it, without what scheduler and admission gave this one pod. */
function templateSpec(pod: PodObject | undefined): unknown {
  if (pod === undefined) return { containers: [] };
  const { nodeName: _node, ...spec } = pod.spec;
  return {
    ...spec,
    volumes: (spec.volumes ?? []).filter(({ name }) => !name.startsWith('kube-api-access-')),
  };
}

function withoutNames(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = new Set([
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
    'controller-revision-hash',
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
