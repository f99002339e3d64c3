/** The scale subresource: how many replicas, in a form that all kinds share (autoscaling/v1). */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import { badRequest } from '../api-error.ts';
import { invalid } from '../../../api/writes/write-refusal.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { selectorText } from '../tables/table.ts';
import { mapOf, numberOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';

interface Places {
  readonly spec: readonly string[];
  readonly status: readonly string[];
}

function placesOf({ definition }: Resource): Places {
  const told = mapOf(valueAt(definition, 'subresources', 'scale'));
  return {
    spec: pathOf(textOf(told['specReplicasPath']) || '.spec.replicas'),
    status: pathOf(textOf(told['statusReplicasPath']) || '.status.replicas'),
  };
}

function pathOf(path: string): readonly string[] {
  return path.split('.').filter((part) => part !== '');
}

export function scaleOf(resource: Resource, object: KubeObject): Tree {
  const places = placesOf(resource);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorText(valueAt(object, 'spec', 'selector'));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberOf(valueAt(object, ...places.spec)) ?? 1 },
    status: {
      replicas: numberOf(valueAt(object, ...places.status)) ?? 0,
      ...(selector === '<none>' ? {} : { selector }),
    },
  };
}

/** The object with the replicas of the scale. */
export function withScale(resource: Resource, object: Tree, scale: Tree): Tree {
  const replicas = valueAt(scale, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest('spec.replicas is no whole number');
  if (replicas < 0) {
    throw invalid(
      { group: 'autoscaling', kind: 'Scale' },
      textOf(valueAt(object, 'metadata', 'name')),
      [
        {
          type: 'Invalid',
          field: 'spec.replicas',
          detail: 'must be greater than or equal to 0',
          value: replicas,
        },
      ],
    );
  }
  return put(object, placesOf(resource).spec, replicas);
}

function put(tree: Tree, [key = '', ...rest]: readonly string[], value: number): Tree {
  return { ...tree, [key]: rest.length === 0 ? value : put(mapOf(tree[key]), rest, value) };
}
