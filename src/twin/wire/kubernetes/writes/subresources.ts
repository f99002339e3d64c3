/** What lies below an object: eviction and binding of pods, and the word for what went well. */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import { evictPod } from '../../../controllers/eviction.ts';
import type { World } from '../../../world.ts';
import { ApiError, badRequest, notFound, type StatusBody } from '../api-error.ts';
import { conflict } from '../../../api/writes/write-refusal.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { mapOf, numberOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';

export interface PodTarget {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

const BUDGET_WORDS = "Cannot evict pod as it would violate the pod's disruption budget.";

/** POST …/eviction. */
export function evict(
  world: World,
  { resource, namespace, name }: PodTarget,
  sent: Tree,
): StatusBody {
  const options = mapOf(sent['deleteOptions']);
  const isDry = Array.isArray(options['dryRun']) && options['dryRun'].includes('All');
  const pod = world.store.get('Pod', namespace, name);
  if (pod === undefined) throw notFound(resource, name);
  const uid = textOf(valueAt(options, 'preconditions', 'uid'));
  if (uid !== '' && uid !== pod.metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${pod.metadata.uid ?? ''}). The object might have been deleted and then recreated`;
    throw conflict(resource, name, why);
  }
  if (isDry) return success();
  const result = world.kernel.because([], () =>
    evictPod(world, namespace, name, numberOf(options['gracePeriodSeconds'])),
  );
  if (result.evicted) return success();
  if (result.status === 404) throw notFound(resource, name);
  if (result.status === 500)
    throw new ApiError(500, 'InternalError', `Internal error occurred: ${result.message}`);
  const cause = result.message.replace(`${BUDGET_WORDS} `, '');
  throw new ApiError(429, 'TooManyRequests', BUDGET_WORDS, {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
  });
}

/** POST …/binding: what a scheduler does. */
export function bind(
  world: World,
  { resource, namespace, name }: PodTarget,
  sent: Tree,
): StatusBody {
  const node = textOf(valueAt(sent, 'target', 'name'));
  if (node === '') throw badRequest('target.name: Required value');
  const pod = world.store.get('Pod', namespace, name);
  if (pod === undefined) throw notFound(resource, name);
  if (pod.spec.nodeName !== undefined) {
    const why = `pod ${name} is already assigned to node "${pod.spec.nodeName}"`;
    throw conflict(resource, name, why);
  }
  world.kernel.because([], () =>
    world.store.update('Pod', namespace, name, (old) => ({
      ...old,
      spec: { ...old.spec, nodeName: node },
    })),
  );
  return success();
}

export function success(object?: {
  readonly resource: Resource;
  readonly object: KubeObject;
}): StatusBody {
  const about =
    object === undefined
      ? {}
      : {
          details: {
            name: object.object.metadata.name,
            ...(object.resource.group === '' ? {} : { group: object.resource.group }),
            kind: object.resource.plural,
            uid: object.object.metadata.uid ?? '',
          },
        };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', ...about, code: 200 };
}
