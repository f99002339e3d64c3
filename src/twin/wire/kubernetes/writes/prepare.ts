/**
 * An object on its way into the store: what the API server's strategies and admission do to it when it
 * is created or changed (KK pkg/registry/*\/strategy.go).
 */
import type { PodObject } from '../../../../model/kubernetes.ts';
import { serviceAccountRefusal, withPodDefaults } from '../../../api/pod-admission.ts';
import type { World } from '../../../world.ts';
import { forbidden } from '../api-error.ts';
import { withDefaults } from './defaults.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { hasStatus } from '../../../api/writes/write-rules.ts';
import { withAddresses } from './service-addresses.ts';
import { listOf, mapOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import { changedPart, without } from '../../../api/tree.ts';

/** Kinds whose status is their own to begin with: nobody on the twin would write it. */
const KEEPS_STATUS = new Set(['Node', 'PersistentVolume', 'VolumeAttachment']);

export function prepareForCreate(world: World, resource: Resource, object: Tree): Tree {
  const { kind } = resource;
  const bare = hasStatus(resource) && !KEEPS_STATUS.has(kind) ? without(object, 'status') : object;
  if (resource.definition !== undefined) return bare;
  const full = withDefaults(kind, bare);
  switch (kind) {
    case 'Pod':
      return preparePod(world, resource, full);
    case 'Service':
      return {
        ...full,
        spec: withAddresses(world.store, mapOf(full['spec'])),
        status: { loadBalancer: {} },
      };
    case 'Namespace':
      return prepareNamespace(full);
    case 'Job':
      return prepareJob(world, full);
    case 'CustomResourceDefinition':
      return established(full, world.store.timestamp());
    case 'PersistentVolumeClaim':
      return { ...full, status: { phase: 'Pending' } };
    case 'Node':
      return { ...full, spec: mapOf(full['spec']), status: mapOf(full['status']) };
    default:
      return full;
  }
}

/** Of the main resource; the status stays as it is, whatever was sent. */
export function prepareForUpdate(
  world: World,
  resource: Resource,
  { old, changed }: { readonly old: Tree; readonly changed: Tree },
): Tree {
  const { kind } = resource;
  const kept = hasStatus(resource)
    ? { ...without(changed, 'status'), ...('status' in old ? { status: old['status'] } : {}) }
    : changed;
  if (resource.definition !== undefined) return kept;
  if (kind === 'Service') {
    const before = mapOf(old['spec']);
    const spec = changedPart(
      before,
      withAddresses(world.store, before, before),
      withAddresses(world.store, mapOf(kept['spec']), before),
    );
    return { ...kept, spec };
  }
  if (kind === 'CustomResourceDefinition') return established(kept, world.store.timestamp());
  if (kind === 'Pod') return kept;
  // Objects read from files lack defaults: filling them in with the first write would roll them out.
  return mapOf(changedPart(old, withDefaults(kind, old), withDefaults(kind, kept)));
}

const PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

function preparePod(world: World, resource: Resource, object: Tree): Tree {
  const metadata = mapOf(object['metadata']);
  const namespace = textOf(metadata['namespace']);
  const name = textOf(metadata['name']);
  // What a client sent, with the defaults of a pod: its shape is the API's.
  const pod = withPodDefaults(
    { ...object, status: { phase: 'Pending' } } as unknown as PodObject,
    world.constants,
  );
  const serviceAccount = pod.spec.serviceAccountName ?? 'default';
  const refusal = serviceAccountRefusal(world.store, { name, namespace, serviceAccount });
  if (refusal !== undefined) {
    const why = refusal.replace(/^pods "[^"]*" is forbidden: /, '');
    throw forbidden(resource, name, why);
  }
  return {
    ...mapOf(pod),
    spec: { ...mapOf(pod.spec), ...priorityOf(world, resource, name, pod.spec.priorityClassName) },
    status: { phase: 'Pending', qosClass: qosOf(mapOf(pod.spec)) },
  };
}

function priorityOf(
  { store }: World,
  resource: Resource,
  pod: string,
  priorityClass: string | undefined,
): Tree {
  const common = { enableServiceLinks: true, preemptionPolicy: 'PreemptLowerPriority' };
  if (priorityClass === undefined || priorityClass === '') return { ...common, priority: 0 };
  const value =
    valueAt(store.get<string>('PriorityClass', undefined, priorityClass), 'value') ??
    PRIORITIES[priorityClass];
  if (value !== undefined) return { ...common, priority: value };
  throw forbidden(resource, pod, `no PriorityClass with name ${priorityClass} was found`);
}

function qosOf(spec: Tree): string {
  const all = [...listOf(spec['containers']), ...listOf(spec['initContainers'])];
  const asks = all.map((each) => mapOf(valueAt(each, 'resources')));
  if (asks.every(({ requests, limits }) => isEmpty(requests) && isEmpty(limits)))
    return 'BestEffort';
  const isWhole = asks.every(({ requests, limits }) =>
    ['cpu', 'memory'].every((name) => {
      const limit = valueAt(limits, name);
      return limit !== undefined && (valueAt(requests, name) ?? limit) === limit;
    }),
  );
  return isWhole ? 'Guaranteed' : 'Burstable';
}

function prepareNamespace(object: Tree): Tree {
  const metadata = mapOf(object['metadata']);
  const labels = { ...mapOf(metadata['labels']), 'kubernetes.io/metadata.name': metadata['name'] };
  return {
    ...object,
    metadata: { ...metadata, labels },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

/** A Job finds its pods by a label with its own UID. */
function prepareJob({ store }: World, object: Tree): Tree {
  const metadata = mapOf(object['metadata']);
  const spec = mapOf(object['spec']);
  if (spec['manualSelector'] === true || spec['selector'] !== undefined) return object;
  const uid = store.nextUid();
  const own = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': metadata['name'],
    'controller-uid': uid,
    'job-name': metadata['name'],
  };
  const template = mapOf(spec['template']);
  const below = mapOf(template['metadata']);
  return {
    ...object,
    metadata: { ...metadata, uid },
    spec: {
      ...spec,
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: {
        ...template,
        metadata: { ...below, labels: { ...mapOf(below['labels']), ...own } },
      },
    },
  };
}

/** Names are never contested here, so that a definition is served as soon as it is stored. */
function established(object: Tree, now: string): Tree {
  const names = mapOf(valueAt(object, 'spec', 'names'));
  const kind = textOf(names['kind']);
  const acceptedNames = { listKind: `${kind}List`, singular: kind.toLowerCase(), ...names };
  const versions = listOf(valueAt(object, 'spec', 'versions'));
  const stored = versions.filter((each) => valueAt(each, 'storage') === true);
  const before = listOf(valueAt(object, 'status', 'conditions'));
  const condition = (type: string, reason: string, message: string): Tree => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: now,
  });
  return {
    ...object,
    spec: { conversion: { strategy: 'None' }, ...mapOf(object['spec']), names: acceptedNames },
    status: {
      acceptedNames,
      storedVersions: stored.map((each) => valueAt(each, 'name')),
      conditions:
        before.length > 0
          ? before
          : [
              condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
              condition(
                'Established',
                'InitialNamesAccepted',
                'the initial names have been accepted',
              ),
            ],
    },
  };
}

function isEmpty(part: unknown): boolean {
  return Object.keys(mapOf(part)).length === 0;
}
