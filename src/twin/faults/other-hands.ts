/** Other people and other controllers, who do what they always do. */
import { type KubeObject, objectKey, type PodObject } from '../../model/kubernetes.ts';
import { controllerOf } from '../../model/kubernetes.ts';
import { type Fault, type FaultScene, overAfter, seconds } from './fault.ts';

export const colleagueUncordons: Fault = {
  id: 'colleague-uncordons',
  title: 'A colleague uncordons every node',
  standsFor: '`kubectl uncordon` by somebody who thinks a cordon was forgotten; kured, Karpenter',
  source: 'kured#1409; FM-55',
  strikes: 'cluster',
  parameters: {},
  strike: ({ world }) => {
    for (const { metadata, spec } of world.store.list('Node')) {
      if (spec.unschedulable !== true) continue;
      world.store.update('Node', undefined, metadata.name, (node) => {
        const { unschedulable: _was, ...rest } = node.spec;
        return { ...node, spec: rest };
      });
    }
    return overAfter(0);
  },
};

/** What a CNI change takes away or changes, and what a repository may hold. */
const REVERTED: readonly (readonly [kind: string, name: string])[] = [
  ['DaemonSet', 'kube-flannel'],
  ['DaemonSet', 'kube-flannel-ds'],
  ['ConfigMap', 'kube-flannel-cfg'],
  ['DaemonSet', 'kube-proxy'],
  ['ConfigMap', 'cilium-config'],
  ['DaemonSet', 'cilium'],
];

export const gitopsReverts: Fault = {
  id: 'gitops-reverts',
  title: 'A reconciler puts objects of the networks back',
  standsFor: 'an Argo CD or Flux that nobody suspended, or that was resumed too early',
  source: 'FM-35, FM-36; failure-domains.md 2.7',
  strikes: 'cluster',
  parameters: {
    every: seconds('how soon after a change', 5, 60, 600),
    for: seconds('until it is suspended', 60, 900, 3600),
  },
  strike: (scene, { value }) => {
    const { kernel, store } = scene.world;
    const wanted = REVERTED.flatMap(([kind, name]) => {
      const found = store.list<string>(kind).find(({ metadata }) => metadata.name === name);
      return found === undefined ? [] : [found];
    });
    const endsAt = kernel.now() + value('for') * 1000;
    const round = (): void => {
      for (const object of wanted) putBack(scene, object);
      if (kernel.now() + value('every') * 1000 < endsAt) kernel.after(value('every') * 1000, round);
    };
    kernel.after(value('every') * 1000, round);
    return overAfter(value('for'));
  },
};

function putBack({ world }: FaultScene, wanted: KubeObject): void {
  const { store, kernel } = world;
  const { kind, metadata } = wanted;
  const live: KubeObject | undefined = store.get<string>(kind, metadata.namespace, metadata.name);
  if (live !== undefined && contentOf(live) === contentOf(wanted)) return;
  const place = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
  kernel.occur('gitops.reverted', {
    subject: { kind, ...place, name: metadata.name },
    message: `a reconciler put ${kind} ${objectKey(wanted)} back`,
  });
  if (live === undefined) {
    const { uid: _uid, resourceVersion: _version, generation: _generation, ...kept } = metadata;
    store.create({ ...wanted, metadata: kept });
    return;
  }
  store.update<string>(kind, metadata.namespace, metadata.name, (object) => ({
    ...wanted,
    ...('status' in object ? { status: object.status } : {}),
    metadata: { ...object.metadata },
  }));
}

function contentOf(object: KubeObject): string {
  const { metadata: _metadata, ...rest } = object;
  const fields: Readonly<Record<string, unknown>> = rest;
  return JSON.stringify({ ...fields, status: undefined });
}

export const budgetNever: Fault = {
  id: 'budget-never',
  title: 'A budget allows no eviction any more',
  standsFor: 'a PodDisruptionBudget of maxUnavailable 0 that an operator or a chart creates',
  source: 'kubernetes#72320; azurerm#32827: calico-typha blocks; system-upgrade-controller#78',
  strikes: 'node',
  parameters: { for: { about: 'how long; 0 for ever', unit: 's', least: 60, usual: 900, most: 0 } },
  strike: ({ world, random }, { node, value }) => {
    const pods = workloadPodsOn(world.store.podsOn(node));
    if (pods.length === 0) return overAfter(0);
    const pod = random.pick(pods);
    const { namespace = 'default', labels = {} } = pod.metadata;
    const name = 'allows-none';
    if (world.store.get('PodDisruptionBudget', namespace, name) !== undefined) return overAfter(0);
    world.store.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { namespace, name },
      spec: { maxUnavailable: 0, selector: { matchLabels: steadyLabels(labels) } },
    });
    if (value('for') === 0) return 'lasting';
    world.kernel.after(value('for') * 1000, () =>
      world.store.remove('PodDisruptionBudget', namespace, name),
    );
    return overAfter(value('for'));
  },
};

const HOLDER = 'regauge.dev/held-by-a-fault';

export const drainBlocked: Fault = {
  id: 'drain-blocked',
  title: 'A pod has a finalizer that nobody takes away',
  standsFor: 'an operator that is gone; a volume that does not unmount',
  source: 'kubernetes#72346; kured#63: drains without an end',
  strikes: 'node',
  parameters: { for: { about: 'how long; 0 for ever', unit: 's', least: 60, usual: 900, most: 0 } },
  strike: ({ world, random }, { node, value }) => {
    const pods = workloadPodsOn(world.store.podsOn(node));
    if (pods.length === 0) return overAfter(0);
    const { namespace, name, uid } = random.pick(pods).metadata;
    const setFinalizers = (change: (finalizers: readonly string[]) => string[]): void => {
      world.store.update('Pod', namespace, name, (pod) => {
        if (pod.metadata.uid !== uid) return pod;
        const finalizers = change(pod.metadata.finalizers ?? []);
        return { ...pod, metadata: { ...pod.metadata, finalizers } };
      });
    };
    setFinalizers((finalizers) => [...finalizers, HOLDER]);
    if (value('for') === 0) return 'lasting';
    world.kernel.after(value('for') * 1000, () =>
      setFinalizers((finalizers) => finalizers.filter((each) => each !== HOLDER)),
    );
    return overAfter(value('for'));
  },
};

function workloadPodsOn(pods: readonly PodObject[]): readonly PodObject[] {
  return pods.filter((pod) => {
    const owner = controllerOf(pod)?.kind;
    const counted = owner === 'ReplicaSet' || owner === 'StatefulSet';
    return counted && pod.spec.hostNetwork !== true && pod.metadata.deletionTimestamp === undefined;
  });
}

/** Labels that the next pod of the same owner has too. */
function steadyLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(
      ([key]) => !/pod-template-hash|pod-index|statefulset\.kubernetes\.io/.test(key),
    ),
  );
}

export const webhookDown: Fault = {
  id: 'webhook-down',
  title: 'An admission webhook for pods has no backend',
  standsFor: 'a policy engine or a mesh whose pods are away, with failurePolicy Fail',
  source: 'failure-domains.md 2.2; FM-14',
  strikes: 'cluster',
  parameters: { for: seconds('how long', 10, 180, 1800) },
  strike: ({ world }, { value }) => {
    const name = 'struck-webhook';
    const kind = 'ValidatingWebhookConfiguration';
    if (world.store.get<string>(kind, undefined, name) !== undefined) return overAfter(0);
    const webhook: KubeObject & { readonly webhooks: unknown } = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind,
      metadata: { name },
      webhooks: [
        {
          name: 'pods.struck.example',
          failurePolicy: 'Fail',
          clientConfig: { service: { namespace: 'default', name: 'struck-webhook' } },
          rules: [{ operations: ['CREATE'], resources: ['pods'], apiGroups: [''] }],
        },
      ],
    };
    world.store.create(webhook);
    world.kernel.after(value('for') * 1000, () => world.store.remove(kind, undefined, name));
    return overAfter(value('for'));
  },
};
